#pragma once
// A site as one forwarder serves it: its open files, and the date of this second.
//
// Owner    the forwarder. Thread: its own, but for the counters, which anyone may read.

#include <cstdint>
#include <deque>
#include <memory_resource>
#include <string>
#include <vector>

#include "files/open_file_cache.hpp"

namespace penstock::files {

class Site;

class SiteCache {
 public:
  SiteCache(const Site& site, std::pmr::memory_resource& memory);

  const Site& site() const noexcept { return site_; }
  OpenFileCache& cache() noexcept { return cache_; }
  const OpenFileCache& cache() const noexcept { return cache_; }
  // The value of Date; worked out once a second.
  const std::string& date_text(std::int64_t seconds_since_1970);

 private:
  const Site& site_;
  OpenFileCache cache_;
  std::int64_t date_seconds_ = -1;
  std::string date_text_;
};

class SiteCaches {
 public:
  // Throws std::bad_alloc.
  SiteCaches(const std::vector<const Site*>& sites, std::pmr::memory_resource& memory);
  // REQUIRES: the site was given.
  SiteCache& of(const Site& site) noexcept;
  const std::pmr::deque<SiteCache>& all() const noexcept { return views_; }

 private:
  std::pmr::deque<SiteCache> views_;
};

}  // namespace penstock::files
