#pragma once
// The right to one connection at an endpoint, counted against its limit and that of its upstream.
// Upstream::take() gives it; it is given back once, at the latest when the lease goes.
//
// Owner    who connects, from before the attempt to the end of the connection. The upstream
//          outlives it, and the endpoint's record stays for as long as somebody holds one.
// Thread   that of its owner; any may be the one that gives it back.
// Waiters  giving back calls the first of those who wait for a place (WaitQueue).

#include <utility>

namespace penstock::upstream {

struct LiveRecord;
class Upstream;

class Lease {
 public:
  Lease() noexcept = default;
  Lease(Lease&& other) noexcept
      : upstream_{std::exchange(other.upstream_, nullptr)},
        endpoint_{std::exchange(other.endpoint_, nullptr)} {}
  // What this one holds is given back.
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { give_back(); }

  bool is_held() const noexcept { return upstream_ != nullptr; }
  // Where it holds, or before it was given back: a connection's record names its last endpoint.
  // That stays for ten seconds more (Registry::reclaim); a pause between attempts is shorter.
  LiveRecord* endpoint() const noexcept { return endpoint_; }
  void give_back() noexcept;

 private:
  friend class Upstream;
  friend class SpareLease;
  Lease(Upstream& upstream, LiveRecord& endpoint) noexcept
      : upstream_{&upstream}, endpoint_{&endpoint} {}

  Upstream* upstream_ = nullptr;  // while it is held
  LiveRecord* endpoint_ = nullptr;
};

// The place of a socket that is kept ready, of Upstream::take_spare(): it counts in every limit,
// and not as load.
class SpareLease {
 public:
  SpareLease(SpareLease&&) noexcept = default;
  SpareLease& operator=(SpareLease&& other) noexcept;
  ~SpareLease();

 private:
  friend class Upstream;
  explicit SpareLease(Lease lease) noexcept;

  Lease lease_;
};

}  // namespace penstock::upstream
