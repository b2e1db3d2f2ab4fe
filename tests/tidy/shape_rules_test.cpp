#include "catch.hpp"
#include "tidy/rules.hpp"

namespace penstock::tidy {

namespace {

std::string repeated(std::size_t times, const std::string& text) {
  std::string all;
  while (times-- > 0) all += text;
  return all;
}

bool has_state(const std::string& text) {
  return !no_mutable_globals(make_file("proxy/session/a.cpp", text)).empty();
}

}  // namespace

TEST_CASE("a file of 401 lines is found, one of 400 is right", "[tidy]") {
  REQUIRE(short_files(make_file("proxy/base/a.cpp", repeated(400, "\n"))).empty());
  REQUIRE(short_files(make_file("proxy/base/a.cpp", repeated(401, "\n"))).size() == 1);
  REQUIRE(short_files(make_file("scripts/run", repeated(401, "\n"))).size() == 1);
  REQUIRE(short_files(make_file("docs/RELAY.md", repeated(401, "\n"))).empty());
}

TEST_CASE("a line of 101 columns is found, one of 100 characters is right", "[tidy]") {
  REQUIRE(narrow_lines(make_file("tests/a.cpp", repeated(100, "x"))).empty());
  REQUIRE(narrow_lines(make_file("tests/a.cpp", repeated(100, "\u00e4"))).empty());
  const Findings findings = narrow_lines(make_file("tests/a.cpp", "\n" + repeated(101, "x")));
  REQUIRE(findings.size() == 1);
  REQUIRE(findings[0].line == 2);
}

TEST_CASE("a function of 71 lines is found, one of 70 is right", "[tidy]") {
  const auto function = [](std::size_t lines) {
    return make_file("proxy/base/a.cpp",
                     "\nvoid f() {\n" + repeated(lines - 2, "  g();\n") + "}\n");
  };
  REQUIRE(short_functions(function(70)).empty());
  const Findings findings = short_functions(function(71));
  REQUIRE(findings.size() == 1);
  REQUIRE(findings[0].line == 2);
}

TEST_CASE("two functions of 40 lines are not one of 80", "[tidy]") {
  const std::string body = " {\n" + repeated(38, "  g();\n") + "}\n";
  const std::string text = "namespace a {\nvoid f()" + body + "TEST_CASE(\"x\")" + body + "}\n";
  REQUIRE(short_functions(make_file("tests/a.cpp", text)).empty());
}

TEST_CASE("mutable state without an owner is found", "[tidy]") {
  const std::string text =
      GENERATE(as<std::string>{}, "int count = 0;", "namespace a { std::atomic<int> count{0}; }",
               "namespace { bool ready; }", "extern int count;", "thread_local Session* current;",
               "const char* name = \"a\";", "std::mutex lock;", "static std::vector<int> all;",
               "struct A { int x; } a;", "struct A { static inline int x = 0; };", "struct A a;",
               "A& only() { static A a; return a; }", "A& only() { static A a{1}; return a; }",
               "constinit int count = 1;", "std::array<int, 3> table = {1, 2, 3};",
               "std::function<void()> hook;");
  INFO(text);
  REQUIRE(has_state(text));
}

TEST_CASE("constants, types and functions are no state", "[tidy]") {
  const std::string text = GENERATE(
      as<std::string>{}, "constexpr int count = 0;", "const std::string name = \"a\";",
      "inline constexpr base::EnumNames<Pin, 3> names{{\"a\"}};", "const char* const name = \"a\";",
      "using A = int;", "struct A;", "struct A { int x = 0; };", "enum class E { a, b };",
      "int f(int x);", "template <class T> class A;", "static int f(int x = 0) { return x; }",
      "static_assert(sizeof(int) == 4, \"\");", "namespace b = a::c;",
      "class A { friend class B; };",
      "struct A { static base::Result<A> create(); static constexpr int x = 1; };",
      "int f() { static const std::regex r{\"a\"}; int x = 0; return x; }",
      "class A : public B { int x_; };", "constexpr const char* name = \"a\";");
  INFO(text);
  REQUIRE_FALSE(has_state(text));
}

}  // namespace penstock::tidy
