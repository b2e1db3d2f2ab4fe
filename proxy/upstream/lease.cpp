#include "upstream/lease.hpp"

#include "upstream/upstream.hpp"

namespace penstock::upstream {

Lease& Lease::operator=(Lease&& other) noexcept {
  Lease taken{std::move(other)};
  std::swap(upstream_, taken.upstream_);
  std::swap(endpoint_, taken.endpoint_);
  return *this;
}

void Lease::give_back() noexcept {
  if (Upstream* const upstream = std::exchange(upstream_, nullptr)) upstream->give_back(*endpoint_);
}

}  // namespace penstock::upstream
