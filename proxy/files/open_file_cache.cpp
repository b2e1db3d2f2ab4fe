#include "files/open_file_cache.hpp"

#include "base/limits.hpp"
#include "files/site.hpp"

namespace penstock::files {

namespace {

// A shortage may be over with the next request.
base::Instant fresh_until(const Found& found, base::Instant now) noexcept {
  const bool failed_here = found.status >= 500;
  return failed_here ? now : now + base::file_recheck_after;
}

}  // namespace

OpenFileCache::OpenFileCache(const Site& site, std::size_t descriptors_max,
                             std::pmr::memory_resource& memory)
    : site_{site},
      descriptors_max_{std::max<std::size_t>(descriptors_max, 1)},
      memory_{memory},
      entries_{Entries::ctor_args_list{}, std::pmr::polymorphic_allocator<Entry>{&memory}} {}

const Found& OpenFileCache::find(std::string_view path, base::Instant now) {
  auto& by_path = entries_.get<ByPath>();
  const auto at = by_path.find(path);
  if (at == by_path.end()) {
    counters_.misses.add();
    Found found = site_.find(path);
    const base::Instant until = fresh_until(found, now);
    Entry entry{
        .path = std::pmr::string{path, &memory_}, .found = std::move(found), .fresh_until = until};
    make_room(entry.weight());
    weight_ += entry.weight();
    descriptors_ += entry.found.descriptors();
    auto& by_use = entries_.get<ByUse>();
    by_use.push_front(std::move(entry));
    publish();
    return by_use.front().found;
  }
  auto& by_use = entries_.get<ByUse>();
  by_use.relocate(by_use.begin(), entries_.project<ByUse>(at));
  if (now >= at->fresh_until) return look_again(at, now);
  counters_.hits.add();
  return at->found;
}

// The name may stand for another file by now, or for none.
const Found& OpenFileCache::look_again(Entries::index<ByPath>::type::iterator at,
                                       base::Instant now) {
  counters_.misses.add();
  Found found = site_.find(at->path);
  const base::Instant until = fresh_until(found, now);
  weight_ -= at->weight();
  descriptors_ -= at->found.descriptors();
  entries_.get<ByPath>().modify(at, [&](Entry& entry) {
    entry.found = std::move(found);
    entry.fresh_until = until;
  });
  weight_ += at->weight();
  descriptors_ += at->found.descriptors();
  publish();
  return at->found;
}

void OpenFileCache::make_room(std::size_t weight) {
  auto& by_use = entries_.get<ByUse>();
  while (!by_use.empty() && weight_ + weight > descriptors_max_) {
    weight_ -= by_use.back().weight();
    descriptors_ -= by_use.back().found.descriptors();
    by_use.pop_back();
    counters_.evictions.add();
  }
}

void OpenFileCache::publish() noexcept {
  counters_.open.set(descriptors_);
}

}  // namespace penstock::files
