#pragma once
// Files that stay open between requests, and names behind which nothing is.
//
// Owner    a SiteView. Thread: its forwarder's.
// Limit    `descriptors_max` descriptors and as many names: the least recently used goes first. One
//          that is being sent stays open until it is sent.
// Fresh    what a name stands for is looked at again when `file_recheck_after` has passed: until
//          then a new file, or one that is gone, is not seen. The file itself is open: what is
//          written into it is sent.
//          A failure of the machine (500, 503) is not remembered.
// Memory   from the resource that is given. Errors: std::bad_alloc.

#include <boost/multi_index/hashed_index.hpp>
#include <boost/multi_index/member.hpp>
#include <boost/multi_index/sequenced_index.hpp>
#include <boost/multi_index_container.hpp>
#include <cstdint>
#include <memory_resource>
#include <string>

#include "base/counter.hpp"
#include "base/time.hpp"
#include "files/open_file.hpp"

namespace penstock::files {

class Site;

struct CacheCounters {
  base::Counter hits;
  base::Counter misses;  // of names that were not known, or looked at again
  base::Counter evictions;
  base::Counter open;  // descriptors that are kept
};

class OpenFileCache {
 public:
  OpenFileCache(const Site& site, std::size_t descriptors_max, std::pmr::memory_resource& memory);
  OpenFileCache(const OpenFileCache&) = delete;
  OpenFileCache& operator=(const OpenFileCache&) = delete;

  // As Site::find(); holds until the next call.
  const Found& find(std::string_view path, base::Instant now);
  const CacheCounters& counters() const noexcept { return counters_; }

 private:
  struct Entry {
    std::pmr::string path;
    Found found;
    base::Instant fresh_until{};
    std::size_t weight() const noexcept { return std::max<std::size_t>(found.descriptors(), 1); }
  };
  struct Equal {
    bool operator()(std::string_view a, std::string_view b) const noexcept { return a == b; }
  };
  struct ByUse {};
  struct ByPath {};
  using Entries = boost::multi_index_container<
      Entry,
      boost::multi_index::indexed_by<
          boost::multi_index::sequenced<boost::multi_index::tag<ByUse>>,
          boost::multi_index::hashed_unique<
              boost::multi_index::tag<ByPath>,
              boost::multi_index::member<Entry, std::pmr::string, &Entry::path>,
              std::hash<std::string_view>, Equal>>,
      std::pmr::polymorphic_allocator<Entry>>;

  const Found& look_again(Entries::index<ByPath>::type::iterator at, base::Instant now);
  void make_room(std::size_t weight);
  void publish() noexcept;

  const Site& site_;
  const std::size_t descriptors_max_;
  std::pmr::memory_resource& memory_;
  Entries entries_;  // the first is the most recently used
  std::size_t weight_ = 0;
  std::size_t descriptors_ = 0;
  CacheCounters counters_;
};

}  // namespace penstock::files
