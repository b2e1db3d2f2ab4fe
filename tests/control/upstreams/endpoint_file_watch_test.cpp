#include "control/upstreams/endpoint_file_watch.hpp"

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "catch.hpp"

namespace penstock::control {

namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

const discovery::SourceId id{"web", 0};

// A watch of files in a folder of the test's own, and what it reported so far.
struct Watched {
  Watched()
      : watch{
            io,
            {.found =
                 [this](const discovery::SourceId& who,
                        const std::vector<upstream::EndpointSpec>& now) {
                   CHECK(who == id);
                   found.emplace_back();
                   for (const auto& endpoint : now) found.back().push_back(endpoint.identity);
                 },
             .said =
                 [this](const std::string& sentence, logging::Severity severity) {
                   said.push_back(std::string{logging::severity_names[severity]} + ": " + sentence);
                 }}} {
    std::string pattern = (fs::temp_directory_path() / "penstock-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    root = pattern;
  }
  ~Watched() { fs::remove_all(root); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream{root / name} << text;
  }
  // As a careful program does it.
  void replace(const std::string& name, const std::string& text) const {
    write("new", text);
    fs::rename(root / "new", root / name);
  }
  void start(const std::string& name = "list") { watch.watch(id, {root / name}); }

  template <class Fact>
  void run_until(const Fact& fact) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (!fact()) {
      REQUIRE(std::chrono::steady_clock::now() < deadline);
      io.run_one_for(std::chrono::milliseconds{100});
    }
  }
  void run_until_found(std::size_t times) {
    run_until([&] { return found.size() >= times; });
  }
  void run_until_said(std::size_t times) {
    run_until([&] { return said.size() >= times; });
  }
  std::string place() const { return (root / "list").string(); }

  boost::asio::io_context io;
  fs::path root;
  std::vector<Strings> found;
  Strings said;
  EndpointFileWatch watch;
};

}  // namespace

TEST_CASE("a file is read at once and whenever it changes", "[control]") {
  Watched watched;
  watched.write("list", "- 10.0.0.1:80\n");
  watched.start();
  CHECK(watched.found.empty());  // never within the call
  watched.run_until_found(1);
  watched.replace("list", "- 10.0.0.1:80\n- 10.0.0.2:80\n");
  watched.run_until_found(2);
  watched.write("list", "[]\n");
  watched.run_until_found(3);
  CHECK(watched.found == std::vector<Strings>{{"10.0.0.1:80"}, {"10.0.0.1:80", "10.0.0.2:80"}, {}});
  CHECK(watched.said.empty());
}

TEST_CASE("a file that is missing at the start is told and taken when it comes", "[control]") {
  Watched watched;
  watched.start();
  watched.run_until_said(1);
  CHECK(watched.said == Strings{"warning: upstream 'web': " + watched.place() +
                                ":1:1: -: cannot open: No such file or directory; it has no "
                                "endpoints until it is good"});
  CHECK(watched.found.empty());
  watched.replace("list", "- 10.0.0.1:80\n");
  watched.run_until_found(1);
  CHECK(watched.said.back() ==
        "info: upstream 'web': " + watched.place() + " is good now; it has 1 endpoints");
}

TEST_CASE("a file that is wrong, empty or gone keeps the last good list", "[control]") {
  Watched watched;
  watched.write("list", "- 10.0.0.1:80\n");
  watched.start();
  watched.run_until_found(1);
  watched.replace("list", "- 10.0.0.1\n");
  watched.run_until_said(1);
  CHECK(watched.said.back().starts_with("warning: upstream 'web': " + watched.place() +
                                        ":1:3: [0]: expected ip:port"));
  CHECK(watched.said.back().ends_with("; its last good list of 1 endpoints stays in use"));
  watched.replace("list", "");
  watched.run_until_said(2);
  CHECK(watched.said.back().find("is empty") != std::string::npos);
  fs::remove(watched.root / "list");
  watched.run_until_said(3);
  CHECK(watched.found.size() == 1);
  watched.replace("list", "- 10.0.0.1:80\n");
  watched.run_until_said(4);
  CHECK(watched.found.size() == 1);  // the same list as before
}

TEST_CASE("one fault is told once, however often the file changes", "[control]") {
  Watched watched;
  watched.write("list", "- a\n");
  watched.start();
  watched.run_until_said(1);
  watched.replace("list", "- a\n# changed\n");
  watched.replace("list", "- a\n# changed again\n");
  watched.replace("list", "- 10.0.0.1:80\n- b\n");  // another fault
  watched.run_until_said(2);
  CHECK(watched.said.back().find("[1]") != std::string::npos);
}

TEST_CASE("the swap of a ConfigMap changes the endpoints", "[control]") {
  Watched watched;
  const auto publish = [&](const std::string& version, const std::string& text) {
    fs::create_directory(watched.root / version);
    watched.write(version + "/list", text);
    fs::create_directory_symlink(version, watched.root / "..tmp");
    fs::rename(watched.root / "..tmp", watched.root / "..data");
  };
  publish("..1", "- 10.0.0.1:80\n");
  fs::create_symlink("..data/list", watched.root / "list");
  watched.start();
  watched.run_until_found(1);
  publish("..2", "- 10.0.0.2:80\n");
  watched.run_until_found(2);
  publish("..3", "- 10.0.0.3:80\n");
  watched.run_until_found(3);
  CHECK(watched.found.back() == Strings{"10.0.0.3:80"});
}

TEST_CASE("a source that is forgotten or replaced reports no more of its file", "[control]") {
  Watched watched;
  watched.write("old", "- 10.0.0.1:80\n");
  watched.write("list", "- 10.0.0.2:80\n");
  watched.start("old");
  watched.start("list");
  watched.run_until_found(1);
  CHECK(watched.found == std::vector<Strings>{{"10.0.0.2:80"}});
  watched.replace("list", "- 10.0.0.3:80\n");  // it is still watched
  watched.run_until_found(2);
  watched.watch.forget(id);
  watched.replace("list", "- 10.0.0.4:80\n");
  watched.io.run();  // to its end: nothing is left to wait for
  CHECK(watched.found.size() == 2);
}

TEST_CASE("whoever watches files goes on while one is read", "[control]") {
  Watched own;
  own.write("list", "- 10.0.0.1:80\n");
  std::promise<void> may_read;
  std::promise<std::thread::id> reads;
  EndpointFileWatch watch{
      own.io,
      {.found = [&](const auto& /*id*/,
                    const auto& now) { own.found.emplace_back(Strings{now.front().identity}); },
       .said = {}},
      [&] {
        reads.set_value(std::this_thread::get_id());
        may_read.get_future().wait();
      }};
  watch.watch(id, {own.root / "list"});
  auto reader = reads.get_future();
  own.run_until(
      [&] { return reader.wait_for(std::chrono::seconds{0}) == std::future_status::ready; });
  CHECK(reader.get() != std::this_thread::get_id());
  int calls = 0;
  for (int i = 0; i < 100; ++i) io::call_later(own.io, [&] { ++calls; });
  own.run_until([&] { return calls == 100; });
  CHECK(own.found.empty());
  may_read.set_value();
  own.run_until_found(1);
  CHECK(own.found.back() == Strings{"10.0.0.1:80"});
}

}  // namespace penstock::control
