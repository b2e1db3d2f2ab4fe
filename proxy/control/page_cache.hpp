#pragma once
// The pages that may be large: made once for many readers, slice by slice, so that whoever asks for
// health, steers or ends the proxy never waits for one.
//
// A page is shown for twenty times the time that it cost the processor, so that however often it is
// asked for, making it takes a twentieth of control's time; but it is at most a second old when it
// is asked for, and never older than the last write through the admin. Who asks first makes it, a
// slice at each turn of the loop; who comes meanwhile looks again at each turn.
//
// Owner    AdminServer. Thread: control.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "control/admin_view.hpp"
#include "upstream/alarm.hpp"

namespace penstock::control {

class PageCache {
 public:
  using Text = std::shared_ptr<const std::string>;
  static constexpr base::Duration age_max = std::chrono::seconds{1};
  static constexpr int shown_for_costs = 20;
  static constexpr base::Duration slice_max = std::chrono::milliseconds{2};
  // The records that pieces point at are there for twice as long. On a machine so busy that a page
  // is not done by then the rest is made at once.
  static constexpr base::Duration pieces_hold = std::chrono::seconds{5};

  PageCache(boost::asio::io_context& io, AdminView& view);
  PageCache(const PageCache&) = delete;
  PageCache& operator=(const PageCache&) = delete;
  ~PageCache();

  // Something was changed through the admin, or somebody who might do that wants to see what is
  // true now: what was begun before is too old.
  void note_write() noexcept { ++writes_; }
  // What a reader who came now would get without a wait; else empty.
  Text ready(PageName name) const;

  class Reader {
   public:
    Reader(PageCache& cache, PageName name);
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader();

    // The text, or nothing yet: then a slice was made, by this reader or by another one.
    Text advance();

   private:
    PageCache& cache_;
    const PageName name_;
    const base::Instant came_;
    const std::uint64_t writes_;
  };

 private:
  struct Making;
  struct Page {
    Text text;
    base::Instant good_until{};
    std::uint64_t writes = 0;  // that it knows of
    std::unique_ptr<Making> making;
  };

  Page& page(PageName name) { return pages_[static_cast<std::size_t>(name)]; }
  const Page& page(PageName name) const { return pages_[static_cast<std::size_t>(name)]; }
  static bool satisfies(const Page& page, base::Instant came, std::uint64_t writes) noexcept;
  void make_a_slice(Page& page);
  void finish(Page& page);
  void forget_later();

  AdminView& view_;
  std::uint64_t writes_ = 0;
  std::array<Page, page_names_count> pages_;
  upstream::Alarm forgetting_;
  // Ends with this object: a call that was due already must not touch it.
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace penstock::control
