#include "admin/page_cache.hpp"

#include <algorithm>
#include <utility>

#include "os/clock.hpp"

namespace penstock::admin {

namespace {

// Until when whoever comes may have it.
base::Instant good_until(const PageMaking& making) {
  const base::Instant at_most = making.begun() + PageCache::age_max;
  if (!making.is_whole()) return at_most;
  return std::min(at_most, making.begun() + PageCache::shown_for_costs * making.cost());
}

}  // namespace

PageCache::PageCache(boost::asio::io_context& io, AdminView& view) : view_{view}, forgetting_{io} {}

PageCache::~PageCache() = default;

bool PageCache::is_good(const Page& page, base::Instant now) const noexcept {
  return page.making != nullptr && page.writes == writes_ && good_until(*page.making) >= now &&
         !page.making->is_given_up(now);
}

std::shared_ptr<PageMaking> PageCache::page(PageName name) {
  Page& known = pages_[static_cast<std::size_t>(name)];
  const base::Instant now = os::now();
  if (!is_good(known, now)) {
    const base::Duration used = os::thread_cpu_time();
    base::PagePieces pieces = view_.page(name);
    const base::Duration cost = os::thread_cpu_time() - used;
    known.making = std::make_shared<PageMaking>(std::move(pieces), now, cost);
    known.writes = writes_;
    if (!std::exchange(forgets_, true)) forget_later();
  }
  return known.making;
}

std::optional<std::size_t> PageCache::length(PageName name) const {
  const Page& known = pages_[static_cast<std::size_t>(name)];
  if (!is_good(known, os::now()) || !known.making->is_whole()) return std::nullopt;
  return known.making->bytes();
}

// Nobody is shown it after that: it is only memory.
void PageCache::forget_later() {
  forgetting_.set(age_max, [this, life = std::weak_ptr{alive_}] {
    if (life.expired()) return;
    forgets_ = false;
    for (Page& page : pages_) {
      if (!is_good(page, os::now())) page.making.reset();
      forgets_ = forgets_ || page.making != nullptr;
    }
    if (forgets_) forget_later();
  });
}

}  // namespace penstock::admin
