// What a connection writes that those of other forwarders write as well, counted in lines of the
// cache: it is what many forwarders wait for each other for. docs/ARCHITECTURE.md has the list.

#include <algorithm>
#include <set>

#include "base/limits.hpp"
#include "catch.hpp"
#include "simulation/scene.hpp"

using namespace penstock;
using namespace penstock::simulation;
using namespace std::chrono_literals;
using session::CloseReason;

namespace {

using Lines = std::set<std::pair<std::size_t, std::size_t>>;  // which object, which of its lines

// Looks at what is shared again and again, and tells which lines have changed since.
class SharedLines {
 public:
  explicit SharedLines(const Scene& scene) : scene_{scene}, before_{copy()} {}

  Lines changed() {
    const auto now = copy();
    Lines lines;
    for (std::size_t object = 0; object < now.size(); ++object)
      for (std::size_t i = 0; i < now[object].size(); ++i)
        if (now[object][i] != before_[object][i]) lines.emplace(object, i / base::cache_line_bytes);
    before_ = now;
    return lines;
  }

 private:
  using Bytes = std::vector<std::vector<std::byte>>;

  Bytes copy() const {
    Bytes bytes;
    for (const auto& object : scene_.shared()) bytes.emplace_back(object.begin(), object.end());
    return bytes;
  }

  const Scene& scene_;
  Bytes before_;
};

Lines joined(Lines one, const Lines& other) {
  one.insert(other.begin(), other.end());
  return one;
}

}  // namespace

TEST_CASE("a connection writes to four shared lines: as it begins and as it ends", "[session]") {
  Scene scene;
  SharedLines lines{scene};
  Connection& connection = scene.connects();
  const Lines at_the_beginning = lines.changed();
  REQUIRE(at_the_beginning.size() == 4);  // one of each: place, listener, upstream, endpoint

  connection.client.sends("question");
  connection.server.sends("answer");
  scene.passes(1s);
  REQUIRE(connection.client.received == "answer");
  REQUIRE(lines.changed().empty());

  connection.client.finishes();
  connection.server.finishes();
  scene.passes(1s);
  REQUIRE(connection.ended(CloseReason::complete));
  const Lines at_the_end = lines.changed();
  REQUIRE(at_the_end.size() == 3);  // no turn of the upstream is given back
  REQUIRE(joined(at_the_beginning, at_the_end).size() == 4);
}

TEST_CASE("limits and a queue that is empty add no shared line", "[session]") {
  Scene scene{{.endpoint_places = 10,
               .upstream_places = 10,
               .queue = {.size = 10, .timeout = std::chrono::seconds{1}}}};
  SharedLines lines{scene};
  Connection& connection = scene.connects();
  const Lines at_the_beginning = lines.changed();
  connection.client.resets();
  scene.passes(1s);
  REQUIRE(connection.record);
  REQUIRE(joined(at_the_beginning, lines.changed()).size() == 4);
}

TEST_CASE("a failed attempt writes to the lines of its endpoint alone", "[session]") {
  Scene scene{{.attempts = 2}};
  scene.endpoint().answers = {Answer::refuses, Answer::accepts};
  scene.connects();
  SharedLines lines{scene};
  scene.passes(100ms);
  for (const auto& [object, line] : lines.changed()) REQUIRE(object == 3);
}
