#include "base/result.hpp"

#include "catch.hpp"

namespace penstock::base {

TEST_CASE("who takes a value that is not there is told why there is none", "[base]") {
  const SentenceOr<int> none = Sentence{"the file is empty; write a number into it"};
  REQUIRE_FALSE(none);
  REQUIRE_THROWS_WITH(none.value(), "the file is empty; write a number into it");
}

TEST_CASE("any text becomes the sentence of a result, and reads as a text again", "[base]") {
  const auto refuse = [](const std::string& what) -> SentenceOr<int> { return "no " + what; };
  REQUIRE("listener web: " + refuse("address").error() == "listener web: no address");
}

}  // namespace penstock::base
