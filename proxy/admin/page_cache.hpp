#pragma once
// The pages that may be large: made once for many readers, slice by slice, so that whoever asks for
// health, steers or ends the proxy never waits for one.
//
// A page is shown for twenty times the time that it cost the processor, so that however often it is
// asked for, making it takes a twentieth of control's time; but it is at most a second old when it
// is asked for, and never older than the last write through the admin.
//
// Owner    AdminServer. Thread: control.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "admin/api.hpp"
#include "admin/page_making.hpp"
#include "base/time.hpp"
#include "io/alarm.hpp"

namespace penstock::admin {

class PageCache {
 public:
  static constexpr base::Duration age_max = std::chrono::seconds{1};
  static constexpr int shown_for_costs = 20;

  PageCache(boost::asio::io_context& io, AdminView& view);
  PageCache(const PageCache&) = delete;
  PageCache& operator=(const PageCache&) = delete;
  ~PageCache();

  // Something was changed through the admin, or somebody who might do that wants to see what is
  // true now: what was begun before is too old.
  void note_write() noexcept { ++writes_; }
  // For a reader who comes now: a page that is whole, on its way, or begun for him.
  std::shared_ptr<PageMaking> page(PageName name);
  // Bytes of what a reader who came now would get without a wait; else nothing.
  std::optional<std::size_t> length(PageName name) const;

 private:
  struct Page {
    std::shared_ptr<PageMaking> making;
    std::uint64_t writes = 0;  // that it knows of
  };

  bool is_good(const Page& page, base::Instant now) const noexcept;
  void forget_later();

  AdminView& view_;
  std::uint64_t writes_ = 0;
  std::array<Page, page_names_count> pages_;
  bool forgets_ = false;  // an alarm is set
  io::Alarm forgetting_;
  // Ends with this object: a call that was due already must not touch it.
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace penstock::admin
