#pragma once
// Files that stay open between requests, and names behind which nothing is.
//
// Owner    a SiteCache. Thread: its forwarder's.
// Limit    `descriptors_max` descriptors and as many names: the least recently used goes first. One
//          that is being sent stays open until it is sent.
// Fresh    what a name stands for is looked at again when `file_recheck_after` has passed: until
//          then a new file, or one that is gone, is not seen. The file itself is open: what is
//          written into it is sent. Likewise for the root: where its path leads to another
//          directory, all is forgotten, and what is asked for is looked for there.
//          A failure of the machine (500, 503) is not remembered.
// Memory   from the resource that is given. Errors: std::bad_alloc.

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <string_view>

#include "base/counter.hpp"
#include "base/time.hpp"
#include "files/site.hpp"

namespace penstock::files {

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
  ~OpenFileCache();

  // As Site::find(); holds until the next call.
  const Found& find(std::string_view path, base::Instant now);
  const CacheCounters& counters() const noexcept { return counters_; }

 private:
  struct Entry;
  struct Entries;  // the container's own types stay in the .cpp
  struct GiveBack {
    std::pmr::memory_resource& memory;
    void operator()(Entries* entries) const noexcept;
  };

  void follow_root(base::Instant now);
  const Found& add(std::string_view path, base::Instant now);
  const Found& look_again(const Entry& entry, base::Instant now);
  void make_room(std::size_t weight);
  void publish() noexcept;

  const Site& site_;
  const std::size_t descriptors_max_;
  std::pmr::memory_resource& memory_;
  const std::unique_ptr<Entries, GiveBack> entries_;
  Root root_;
  base::Instant root_fresh_until_{};
  std::size_t weight_ = 0;
  std::size_t descriptors_ = 0;
  CacheCounters counters_;
};

}  // namespace penstock::files
