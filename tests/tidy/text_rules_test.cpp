#include "catch.hpp"
#include "tidy/rules.hpp"

namespace penstock::tidy {

TEST_CASE("a header that does not begin with its contract is found", "[tidy]") {
  const auto findings = [](const std::string& text) {
    return headers_begin_with_their_contract(make_file("proxy/base/a.hpp", text)).size();
  };
  REQUIRE(findings("#pragma once\n// What it is.\n") == 0);
  REQUIRE(findings("#pragma once\n\n#include <vector>\n") == 1);
  REQUIRE(findings("// What it is.\n#pragma once\n") == 1);
  REQUIRE(findings("") == 1);
}

TEST_CASE("a contract whose entries ran into each other is found", "[tidy]") {
  const auto breaks = [](const std::string& table) {
    return bites(contracts_keep_their_columns, "proxy/base/a.hpp",
                 "#pragma once\n// What it is.\n//\n" + table + "\n#include <vector>\n");
  };
  CHECK_FALSE(
      breaks("// Owner    the server.\n// Thread   its own, and no other, whatever\n"
             "//          happens.\n// Tokens   a slot.\n"));
  CHECK_FALSE(breaks("// Owner    the server. Thread: its own.\n//\n// Prose after the table.\n"));
  CHECK(breaks("// Owner    the server, and that\n// until its end.\n"));
  CHECK(breaks("// Owner    the server. Thread   its own.\n"));
  CHECK(
      breaks("// Errors   of the socket: the session decides about the\n"
             "// connection. Source   splice(2).\n"));
}

TEST_CASE("marks of unfinished work are found in every kind of file", "[tidy]") {
  const std::string mark = GENERATE(as<std::string>{},
                                    "TO"
                                    "DO",
                                    "FIX"
                                    "ME",
                                    "XX"
                                    "X",
                                    "HA"
                                    "CK");
  const std::string path =
      GENERATE(as<std::string>{}, "proxy/base/a.cpp", "docs/A.md", "scripts/run");
  const Findings findings = no_marks_of_unfinished_work(make_file(path, "a\n// " + mark + ": b\n"));
  REQUIRE(findings.size() == 1);
  REQUIRE(findings[0].line == 2);
  REQUIRE(no_marks_of_unfinished_work(make_file(path, "mktemp /tmp/a.XXXXXX\n")).empty());
}

TEST_CASE("words of the workplace are found", "[tidy]") {
  const std::string text = GENERATE(as<std::string>{},
                                    "see /wo"
                                    "rk/shared",
                                    "cd \"/ro"
                                    "ot/x\"",
                                    "as issue"
                                    " #12 says",
                                    "(issue"
                                    " 7)",
                                    "ls /tmp/bu"
                                    "ild-a");
  INFO(text);
  REQUIRE(no_word_of_the_workplace(make_file("docs/A.md", text)).size() == 1);
}

TEST_CASE("words that only resemble those of the workplace are right", "[tidy]") {
  const std::string text =
      GENERATE(as<std::string>{}, "scripts/work/x", "issue a request", "network/a");
  INFO(text);
  REQUIRE(no_word_of_the_workplace(make_file("docs/A.md", text)).empty());
}

TEST_CASE("a stray name at the top of the repository is found", "[tidy]") {
  REQUIRE(fixed_top_level({"proxy", "findings", "README.md", ".gitignore"}).empty());
  REQUIRE(fixed_top_level({"proxy", "notes.txt"}).size() == 1);
}

TEST_CASE("a report names file, line and breach", "[tidy]") {
  REQUIRE(report({{"a.cpp", 3, "is wrong"}, {"b.cpp", 4, "too"}}) ==
          "\na.cpp:3: is wrong\nb.cpp:4: too");
}

}  // namespace penstock::tidy
