// The rules of the house, held against the tree. The cases that show that each rule bites stand in
// the other files of this folder.

#include "catch.hpp"
#include "tidy/rules.hpp"

namespace penstock::tidy {

namespace {

std::vector<SourceFile> all_files() {
  auto files = read_tree(PENSTOCK_SOURCE_DIR);
  REQUIRE(files.size() > 20);  // a rule that reads nothing is always kept
  return files;
}

void require_none(const Findings& findings) {
  INFO(report(findings));
  REQUIRE(findings.empty());
}

void require_kept(const Rule& rule) {
  require_none(find_all(rule, all_files()));
}

}  // namespace

TEST_CASE("a floor includes only lower floors, and no neighbour", "[tidy]") {
  require_kept(includes_only_lower_floors);
}

TEST_CASE("includes go in no circle", "[tidy]") {
  require_none(includes_without_circles(all_files()));
}

TEST_CASE("no room has more than 3500 lines, os/ apart", "[tidy]") {
  require_none(small_rooms(all_files()));
}

TEST_CASE("every foreign library stays behind its doors", "[tidy]") {
  require_kept(libraries_behind_their_doors);
}

TEST_CASE("libraries that are slow to parse stay out of headers", "[tidy]") {
  require_kept(heavy_libraries_only_in_sources);
}

TEST_CASE("headers of the system are included only in os/", "[tidy]") {
  require_kept(system_headers_only_in_os);
}

TEST_CASE("system calls are made only in os/", "[tidy]") {
  require_kept(system_calls_only_in_os);
}

TEST_CASE("the clock is read and seeds are drawn only in os/", "[tidy]") {
  require_kept(time_and_chance_only_in_os);
}

TEST_CASE("no test sleeps", "[tidy]") {
  require_kept(no_sleep_in_tests);
}

TEST_CASE("no file has more than 400 lines", "[tidy]") {
  require_kept(short_files);
}

TEST_CASE("no line has more than 100 columns", "[tidy]") {
  require_kept(narrow_lines);
}

TEST_CASE("no function has more than 70 lines", "[tidy]") {
  require_kept(short_functions);
}

TEST_CASE("the proxy has no mutable global state", "[tidy]") {
  require_kept(no_mutable_globals);
}

TEST_CASE("every header begins with what it is", "[tidy]") {
  require_kept(headers_begin_with_their_contract);
}

TEST_CASE("the table that a header begins with keeps its columns", "[tidy]") {
  require_kept(contracts_keep_their_columns);
}

TEST_CASE("no text marks unfinished work", "[tidy]") {
  require_kept(no_marks_of_unfinished_work);
}

TEST_CASE("no text speaks of the place where it was written", "[tidy]") {
  require_kept(no_word_of_the_workplace);
}

TEST_CASE("documents name only files and folders that are there", "[tidy]") {
  require_none(documents_name_what_is_there(all_files()));
}

TEST_CASE("the top level of the repository holds what it always held", "[tidy]") {
  const auto names = top_level_names(PENSTOCK_SOURCE_DIR);
  REQUIRE(names.size() > 3);
  require_none(fixed_top_level(names));
}

}  // namespace penstock::tidy
