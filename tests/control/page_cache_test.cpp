#include "control/page_cache.hpp"

#include <catch2/catch.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>

#include "os/clock.hpp"

namespace penstock::control {

namespace {

// Its pages take a while: each piece lasts longer than a slice.
struct SlowView final : AdminView {
  int pages = 0;
  int pieces = 0;

  PagePieces page(PageName /*name*/) override {
    ++pages;
    return PagePieces(10, [this, number = pages](std::string& text) {
      const base::Instant end = os::now() + 2 * PageCache::slice_max;
      while (os::now() < end) ++spins_;
      ++pieces;
      text = std::to_string(number);
    });
  }
  std::string unhealthy_because() override { return {}; }
  std::string not_ready_because() override { return {}; }
  Explained explain(const ExplainQuestion& /*question*/) override { return boost::json::object{}; }
  void drain() override {}
  void at_end_of_drain(std::function<void(const DrainEnd&)> /*told*/) override {}
  bool set_override(const std::string& /*upstream*/, const std::string& /*endpoint*/,
                    upstream::Override /*said*/) override {
    return false;
  }

 private:
  std::uint64_t spins_ = 0;
};

struct Cached {
  boost::asio::io_context io;
  SlowView view;
  PageCache cache{io, view};

  std::string read(PageCache::Reader& reader) {
    for (int turn = 0; turn < 100; ++turn)
      if (const auto text = reader.advance()) return *text;
    return "(never)";
  }
};

}  // namespace

TEST_CASE("a turn of the loop makes one slice of a page, however many wait for it", "[control]") {
  Cached own;
  PageCache::Reader first{own.cache, PageName::metrics};
  CHECK(first.advance() == nullptr);
  CHECK(own.view.pieces == 1);
  PageCache::Reader second{own.cache, PageName::metrics};
  PageCache::Reader third{own.cache, PageName::metrics};
  CHECK(second.advance() == nullptr);
  CHECK(third.advance() == nullptr);
  CHECK(own.view.pieces == 1);
  CHECK(first.advance() == nullptr);
  CHECK(own.view.pieces == 2);
  CHECK(own.read(first) == "1");
  CHECK(own.read(second) == "1");
  CHECK(own.read(third) == "1");
  CHECK(own.view.pages == 1);
  CHECK(own.view.pieces == 10);
}

TEST_CASE("however often a page is asked for, making it takes a twentieth of the time",
          "[control]") {
  Cached own;
  const base::Instant begun = os::now();
  base::Duration cost{};
  for (int i = 0; i < 1000; ++i) {
    const base::Duration used = os::thread_cpu_time();
    PageCache::Reader reader{own.cache, PageName::metrics};
    CHECK(own.read(reader) != "(never)");
    if (own.view.pages == 1) cost += os::thread_cpu_time() - used;
  }
  const auto shown_for = std::min<base::Duration>(PageCache::age_max, 10 * cost);
  CHECK(own.view.pages <= 2 + (os::now() - begun) / shown_for);
}

TEST_CASE("who came first and left lets the next one go on", "[control]") {
  Cached own;
  auto first = std::make_unique<PageCache::Reader>(own.cache, PageName::metrics);
  CHECK(first->advance() == nullptr);
  PageCache::Reader second{own.cache, PageName::metrics};
  first.reset();
  CHECK(own.read(second) == "1");
  CHECK(own.view.pages == 1);
}

TEST_CASE("a page is never older than the last write", "[control]") {
  Cached own;
  PageCache::Reader before{own.cache, PageName::upstreams};
  CHECK(before.advance() == nullptr);
  own.cache.note_write();
  PageCache::Reader after{own.cache, PageName::upstreams};
  CHECK(after.advance() == nullptr);
  CHECK(own.read(before) == "1");
  CHECK(own.cache.ready(PageName::upstreams) == nullptr);
  CHECK(own.read(after) == "2");
}

TEST_CASE("pages of other names are made beside each other", "[control]") {
  Cached own;
  PageCache::Reader metrics{own.cache, PageName::metrics};
  PageCache::Reader upstreams{own.cache, PageName::upstreams};
  CHECK(metrics.advance() == nullptr);
  CHECK(upstreams.advance() == nullptr);
  CHECK(own.view.pieces == 2);
  CHECK(own.read(metrics) == "1");
  CHECK(own.read(upstreams) == "2");
}

TEST_CASE("a page that nobody will be shown any more is given up", "[control]") {
  Cached own;
  PageCache::Reader reader{own.cache, PageName::metrics};
  const auto text = [&] {
    for (int turn = 0; turn < 100; ++turn)
      if (auto made = reader.advance()) return std::weak_ptr{made};
    return std::weak_ptr<const std::string>{};
  }();
  CHECK_FALSE(text.expired());
  own.io.run();  // until nothing is waited for
  CHECK(text.expired());
}

}  // namespace penstock::control
