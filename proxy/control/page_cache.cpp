#include "control/page_cache.hpp"

#include <algorithm>
#include <utility>

#include "os/clock.hpp"

namespace penstock::control {

struct PageCache::Making {
  PagePieces pieces;
  std::size_t done = 0;  // of the pieces
  std::string text;
  base::Instant begun{};
  base::Duration cost{};
  std::uint64_t writes = 0;
  const Reader* maker = nullptr;  // who came first, as long as it waits
};

PageCache::PageCache(boost::asio::io_context& io, AdminView& view) : view_{view}, forgetting_{io} {}

PageCache::~PageCache() = default;

bool PageCache::satisfies(const Page& page, base::Instant came, std::uint64_t writes) noexcept {
  return page.text != nullptr && page.writes >= writes && page.good_until >= came;
}

PageCache::Text PageCache::ready(PageName name) const {
  const Page& known = page(name);
  return satisfies(known, os::now(), writes_) ? known.text : Text{};
}

void PageCache::make_a_slice(Page& page) {
  Making& making = *page.making;
  const base::Instant now = os::now();
  const base::Instant end = now - making.begun < pieces_hold ? now + slice_max : base::never;
  const base::Duration used = os::thread_cpu_time();
  do {
    if (making.done < making.pieces.size()) making.pieces[making.done++](making.text);
  } while (making.done < making.pieces.size() && os::now() < end);
  making.cost += os::thread_cpu_time() - used;
  if (making.done == making.pieces.size()) finish(page);
}

void PageCache::finish(Page& page) {
  const std::unique_ptr<Making> made = std::move(page.making);
  page.text = std::make_shared<const std::string>(std::move(made->text));
  page.writes = made->writes;
  page.good_until = std::min(made->begun + age_max, os::now() + shown_for_costs * made->cost);
  forget_later();
}

// Nobody is shown it after that: it is only memory.
void PageCache::forget_later() {
  forgetting_.set(age_max, [this, life = std::weak_ptr{alive_}] {
    if (life.expired()) return;
    bool is_left = false;
    for (Page& page : pages_) {
      if (page.good_until < os::now()) page.text.reset();
      is_left = is_left || page.text != nullptr;
    }
    if (is_left) forget_later();
  });
}

PageCache::Reader::Reader(PageCache& cache, PageName name)
    : cache_{cache}, name_{name}, came_{os::now()}, writes_{cache.writes_} {}

PageCache::Reader::~Reader() {
  Page& own = cache_.page(name_);
  if (own.making != nullptr && own.making->maker == this) own.making->maker = nullptr;
}

PageCache::Text PageCache::Reader::advance() {
  Page& own = cache_.page(name_);
  if (satisfies(own, came_, writes_)) return own.text;
  // Who made it was stopped by want of memory, and nobody has come since.
  if (own.making != nullptr && own.making->maker == nullptr &&
      os::now() - own.making->begun >= pieces_hold)
    own.making.reset();
  if (own.making == nullptr) {
    own.making = std::make_unique<Making>();
    own.making->begun = os::now();
    own.making->writes = cache_.writes_;
    const base::Duration used = os::thread_cpu_time();
    own.making->pieces = cache_.view_.page(name_);
    own.making->cost = os::thread_cpu_time() - used;
  }
  if (own.making->maker == nullptr) own.making->maker = this;
  if (own.making->maker == this) cache_.make_a_slice(own);
  return satisfies(own, came_, writes_) ? own.text : Text{};
}

}  // namespace penstock::control
