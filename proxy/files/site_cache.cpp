#include "files/site_cache.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "files/http_text.hpp"
#include "files/site.hpp"

namespace penstock::files {

SiteCache::SiteCache(const Site& site, std::pmr::memory_resource& memory)
    : site_{site}, cache_{site, site.open_files(), memory} {}

const std::string& SiteCache::date_text(std::int64_t seconds_since_1970) {
  if (date_seconds_ != seconds_since_1970) {
    date_text_ = http_date(seconds_since_1970);
    date_seconds_ = seconds_since_1970;
  }
  return date_text_;
}

SiteCaches::SiteCaches(const std::vector<const Site*>& sites, std::pmr::memory_resource& memory)
    : views_{&memory} {
  for (const Site* site : sites) views_.emplace_back(*site, memory);
}

SiteCache& SiteCaches::of(const Site& site) noexcept {
  const auto view = std::find_if(views_.begin(), views_.end(),
                                 [&](const SiteCache& one) { return &one.site() == &site; });
  PENSTOCK_ASSERT(view != views_.end());
  return *view;
}

}  // namespace penstock::files
