#include "admin/page_cache.hpp"

#include <boost/asio/io_context.hpp>
#include <new>
#include <string>

#include "catch.hpp"
#include "os/clock.hpp"

namespace penstock::admin {

namespace {

// Its pages take a while: each piece lasts longer than a slice.
struct SlowView final : AdminView {
  int pages = 0;
  int pieces = 0;

  base::PagePieces page(PageName /*name*/) override {
    ++pages;
    return base::PagePieces(10, [this, number = pages](std::string& text) {
      const base::Instant end = os::now() + 2 * PageMaking::slice_max;
      while (os::now() < end) ++spins_;
      ++pieces;
      text = std::to_string(number);
    });
  }
  std::string unhealthy_because() override { return {}; }
  std::string not_ready_because() override { return {}; }
  Explained explain(const ExplainQuestion& /*question*/) override { return base::PagePieces{}; }
  void drain() override {}
  void at_end_of_drain(std::function<void(const DrainEnd&)> /*told*/) override {}
  bool set_override(const std::string& /*upstream*/, const std::string& /*endpoint*/,
                    upstream::Override /*said*/) override {
    return false;
  }

 private:
  std::uint64_t spins_ = 0;
};

std::string read(PageReader& reader) {
  std::string text;
  for (int turn = 0; turn < 1000 && !reader.has_ended() && !reader.is_given_up(); ++turn)
    if (const auto part = reader.next()) text += *part;
  return reader.has_ended() ? text : "(never)";
}

struct Cached {
  boost::asio::io_context io;
  SlowView view;
  PageCache cache{io, view};
};

}  // namespace

TEST_CASE("a turn of the loop makes one slice of a page, however many wait for it", "[admin]") {
  Cached own;
  PageReader first{own.cache.page(PageName::metrics)};
  CHECK(first.next() == nullptr);
  CHECK(own.view.pieces == 1);
  PageReader second{own.cache.page(PageName::metrics)};
  PageReader third{own.cache.page(PageName::metrics)};
  CHECK(second.next() == nullptr);
  CHECK(third.next() == nullptr);
  CHECK(own.view.pieces == 1);
  CHECK(first.next() == nullptr);
  CHECK(own.view.pieces == 2);
  CHECK(read(first) == "1");
  CHECK(read(second) == "1");
  CHECK(read(third) == "1");
  CHECK(own.view.pages == 1);
  CHECK(own.view.pieces == 10);
}

TEST_CASE("however often a page is asked for, making it takes a twentieth of the time", "[admin]") {
  Cached own;
  const base::Instant begun = os::now();
  base::Duration cost{};
  for (int i = 0; i < 1000; ++i) {
    const base::Duration used = os::thread_cpu_time();
    PageReader reader{own.cache.page(PageName::metrics)};
    CHECK(read(reader) != "(never)");
    if (own.view.pages == 1) cost += os::thread_cpu_time() - used;
  }
  const auto shown_for = std::min<base::Duration>(PageCache::age_max, 10 * cost);
  CHECK(own.view.pages <= 2 + (os::now() - begun) / shown_for);
}

TEST_CASE("who came first and left lets the next one go on", "[admin]") {
  Cached own;
  auto first = std::make_unique<PageReader>(own.cache.page(PageName::metrics));
  CHECK(first->next() == nullptr);
  PageReader second{own.cache.page(PageName::metrics)};
  first.reset();
  CHECK(read(second) == "1");
  CHECK(own.view.pages == 1);
}

TEST_CASE("a page is never older than the last write", "[admin]") {
  Cached own;
  PageReader before{own.cache.page(PageName::upstreams)};
  CHECK(before.next() == nullptr);
  own.cache.note_write();
  PageReader after{own.cache.page(PageName::upstreams)};
  CHECK(after.next() == nullptr);
  CHECK(read(before) == "1");
  own.cache.note_write();
  CHECK_FALSE(own.cache.length(PageName::upstreams).has_value());
  CHECK(read(after) == "2");
}

TEST_CASE("pages of other names are made beside each other", "[admin]") {
  Cached own;
  PageReader metrics{own.cache.page(PageName::metrics)};
  PageReader upstreams{own.cache.page(PageName::upstreams)};
  CHECK(metrics.next() == nullptr);
  CHECK(upstreams.next() == nullptr);
  CHECK(own.view.pieces == 2);
  CHECK(read(metrics) == "1");
  CHECK(read(upstreams) == "2");
}

TEST_CASE("a page that nobody will be shown any more is given up", "[admin]") {
  Cached own;
  std::weak_ptr<PageMaking> page;
  {
    const auto making = own.cache.page(PageName::metrics);
    page = making;
    PageReader reader{making};
    CHECK(read(reader) == "1");
  }
  CHECK_FALSE(page.expired());
  own.io.run();  // until nothing is waited for
  CHECK(page.expired());
}

TEST_CASE("a page is written as far as somebody reads it", "[admin]") {
  int written = 0;
  const auto making = std::make_shared<PageMaking>(base::PagePieces(100, [&](std::string& text) {
    ++written;
    text += std::string(PageMaking::part_bytes, 'x');
  }));
  PageReader quick{making};
  PageReader slow{making};
  for (int i = 1; i <= 10; ++i) {
    CHECK(quick.next() != nullptr);
    CHECK(written == i);
  }
  // What is there is not written again, and nothing is written ahead of who takes his time.
  CHECK(slow.next() != nullptr);
  CHECK(written == 10);
  CHECK_FALSE(quick.knows_length());
  CHECK(read(quick).size() == 90 * PageMaking::part_bytes);
  CHECK(slow.length() == 100 * PageMaking::part_bytes);
  CHECK(read(slow).size() == 99 * PageMaking::part_bytes);
  CHECK(written == 100);
}

TEST_CASE("a page for which memory is missing ends, rather than lack a part", "[admin]") {
  int calls = 0;
  PageReader reader{std::make_shared<PageMaking>(base::PagePieces(3, [&](std::string& text) {
    text += "half";
    if (++calls == 2) throw std::bad_alloc{};
  }))};
  CHECK(reader.next() == nullptr);
  CHECK(reader.is_given_up());
  CHECK_FALSE(reader.has_ended());
  CHECK(reader.next() == nullptr);
  CHECK(calls == 2);
}

}  // namespace penstock::admin
