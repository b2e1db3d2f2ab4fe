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

SpareLease::SpareLease(Lease lease) noexcept : lease_{std::move(lease)} {
  lease_.upstream_->count_spare(*lease_.endpoint_, 1);
}

SpareLease& SpareLease::operator=(SpareLease&& other) noexcept {
  std::swap(lease_, other.lease_);
  return *this;
}

SpareLease::~SpareLease() {
  if (lease_.is_held()) lease_.upstream_->count_spare(*lease_.endpoint_, -1);
}

}  // namespace penstock::upstream
