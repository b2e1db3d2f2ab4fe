#include "files/open_file_cache.hpp"

#include <algorithm>
#include <boost/multi_index/hashed_index.hpp>
#include <boost/multi_index/member.hpp>
#include <boost/multi_index/sequenced_index.hpp>
#include <boost/multi_index_container.hpp>
#include <functional>
#include <string>
#include <utility>

#include "base/limits.hpp"
#include "files/open_file.hpp"
#include "files/site.hpp"

namespace penstock::files {

namespace {

// A shortage may be over with the next request.
base::Instant fresh_until(const Found& found, base::Instant now) noexcept {
  const bool failed_here = found.status >= 500;
  return failed_here ? now : now + base::file_recheck_after;
}

struct Equal {
  bool operator()(std::string_view a, std::string_view b) const noexcept { return a == b; }
};
struct ByUse {};
struct ByPath {};

}  // namespace

struct OpenFileCache::Entry {
  std::pmr::string path;
  Found found;
  base::Instant fresh_until{};
  std::size_t weight() const noexcept { return std::max<std::size_t>(found.descriptors(), 1); }
};

struct OpenFileCache::Entries {
  using Container = boost::multi_index_container<
      Entry,
      boost::multi_index::indexed_by<
          boost::multi_index::sequenced<boost::multi_index::tag<ByUse>>,
          boost::multi_index::hashed_unique<
              boost::multi_index::tag<ByPath>,
              boost::multi_index::member<Entry, std::pmr::string, &Entry::path>,
              std::hash<std::string_view>, Equal>>,
      std::pmr::polymorphic_allocator<Entry>>;

  explicit Entries(std::pmr::memory_resource& memory)
      : container{Container::ctor_args_list{}, std::pmr::polymorphic_allocator<Entry>{&memory}} {}

  auto& by_path() noexcept { return container.get<ByPath>(); }
  auto& by_use() noexcept { return container.get<ByUse>(); }

  Container container;  // the first is the most recently used
};

void OpenFileCache::GiveBack::operator()(Entries* entries) const noexcept {
  std::pmr::polymorphic_allocator<>{&memory}.delete_object(entries);
}

OpenFileCache::OpenFileCache(const Site& site, std::size_t descriptors_max,
                             std::pmr::memory_resource& memory)
    : site_{site},
      descriptors_max_{std::max<std::size_t>(descriptors_max, 1)},
      memory_{memory},
      entries_{std::pmr::polymorphic_allocator<>{&memory}.new_object<Entries>(memory),
               GiveBack{memory}} {}

OpenFileCache::~OpenFileCache() = default;

const Found& OpenFileCache::find(std::string_view path, base::Instant now) {
  follow_root(now);
  const auto at = entries_->by_path().find(path);
  if (at == entries_->by_path().end()) return add(path, now);
  auto& by_use = entries_->by_use();
  by_use.relocate(by_use.begin(), entries_->container.project<ByUse>(at));
  if (now >= at->fresh_until) return look_again(*at, now);
  counters_.hits.add();
  return at->found;
}

void OpenFileCache::follow_root(base::Instant now) {
  if (now < root_fresh_until_) return;
  root_fresh_until_ = now + base::file_recheck_after;
  if (!site_.follow(root_)) return;
  entries_->container.clear();
  weight_ = descriptors_ = 0;
  publish();
}

const Found& OpenFileCache::add(std::string_view path, base::Instant now) {
  counters_.misses.add();
  Found found = site_.find(path, root_);
  const base::Instant until = fresh_until(found, now);
  Entry entry{
      .path = std::pmr::string{path, &memory_}, .found = std::move(found), .fresh_until = until};
  make_room(entry.weight());
  weight_ += entry.weight();
  descriptors_ += entry.found.descriptors();
  entries_->by_use().push_front(std::move(entry));
  publish();
  return entries_->by_use().front().found;
}

// The name may stand for another file by now, or for none.
const Found& OpenFileCache::look_again(const Entry& entry, base::Instant now) {
  counters_.misses.add();
  Found found = site_.find(entry.path, root_);
  const base::Instant until = fresh_until(found, now);
  weight_ -= entry.weight();
  descriptors_ -= entry.found.descriptors();
  auto& by_path = entries_->by_path();
  by_path.modify(by_path.iterator_to(entry), [&](Entry& known) {
    known.found = std::move(found);
    known.fresh_until = until;
  });
  weight_ += entry.weight();
  descriptors_ += entry.found.descriptors();
  publish();
  return entry.found;
}

void OpenFileCache::make_room(std::size_t weight) {
  auto& by_use = entries_->by_use();
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
