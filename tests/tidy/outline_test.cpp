#include "tidy/outline.hpp"

#include "catch.hpp"

namespace penstock::tidy {

namespace {

Outline outline_of_text(const std::string& text) {
  return outline_of(make_file("proxy/base/a.cpp", text).code);
}

}  // namespace

TEST_CASE("what an opening brace opens is read from what stands before it", "[tidy]") {
  REQUIRE(opening_after("namespace penstock::os") == Opening::names);
  REQUIRE(opening_after("inline namespace v1") == Opening::names);
  REQUIRE(opening_after("extern \" \"") == Opening::names);
  REQUIRE(opening_after("class Fd final : public Base<int>") == Opening::type);
  REQUIRE(opening_after("template <class T, class U = std::less<T>> struct X") == Opening::type);
  REQUIRE(opening_after("struct alignas() Line") == Opening::type);
  REQUIRE(opening_after("enum class Pin : std::uint8_t") == Opening::type);
  REQUIRE(opening_after("int main()") == Opening::function);
  REQUIRE(opening_after("[[nodiscard]] bool f() const noexcept override") == Opening::function);
  REQUIRE(opening_after("auto f() -> std::array<int, 2>") == Opening::function);
  REQUIRE(opening_after("Fd& Fd::operator=()") == Opening::function);
  REQUIRE(opening_after("bool operator()()") == Opening::function);
  REQUIRE(opening_after("Fd::Fd() : raw_{}, name_{}") == Opening::function);
  REQUIRE(opening_after("template <class T> requires Small<T> T f()") == Opening::function);
  REQUIRE(opening_after("struct stat status_of()") == Opening::function);
  REQUIRE(opening_after("Fd::Fd() : raw_") == Opening::value);
  REQUIRE(opening_after("Fd::Fd() : raw_{}, Base<int>") == Opening::value);
  REQUIRE(opening_after("constexpr int table[] =") == Opening::value);
  REQUIRE(opening_after("std::atomic<int> count") == Opening::value);
  REQUIRE(opening_after("const auto f = []()") == Opening::value);
}

TEST_CASE("a function reaches from its signature to its closing brace", "[tidy]") {
  const auto functions = outline_of_text(R"(namespace a {
class B {
 public:
  explicit B(int x)
      : x_{x}, y_({x}) {
    if (x) { run([] { return 1; }); }
  }
  int x() const { return x_; }

 private:
  int x_ = 0, y_{1};
};

template <class T>
int f(T a, std::function<int()> b = [] { return 2; }) {
  const std::vector<int> v{1, 2};
  for (int i : v) {
    a += i;
  }
  return a;
}
}  // namespace a
)")
                             .functions;
  REQUIRE(functions.size() == 3);
  REQUIRE(functions[0].first_line == 4);
  REQUIRE(functions[0].last_line == 7);
  REQUIRE(functions[1].first_line == 8);
  REQUIRE(functions[1].last_line == 8);
  REQUIRE(functions[2].first_line == 14);
  REQUIRE(functions[2].last_line == 21);
}

TEST_CASE("braces in literals, comments and directives open nothing", "[tidy]") {
  const auto functions =
      outline_of_text(
          "#define OPEN {  \\\n  {\nint f() {\n  g(\"{\", '{');  // {\n}\nint h() {\n}\n")
          .functions;
  REQUIRE(functions.size() == 2);
  REQUIRE(functions[0].last_line == 5);
  REQUIRE(functions[1].last_line == 7);
}

TEST_CASE("every statement knows its scope", "[tidy]") {
  const auto statements =
      outline_of_text("int a;\nstruct B {\n  int c = 1;\n  void f() { int d{2}; }\n} e;\n")
          .statements;
  REQUIRE(statements.size() == 4);
  REQUIRE(statements[0].scope == Scope::names);
  REQUIRE(statements[0].text == "int a");
  REQUIRE(statements[1].scope == Scope::type);
  REQUIRE(statements[1].line == 3);
  REQUIRE(statements[2].scope == Scope::function);
  REQUIRE(statements[2].text == "int d");
  REQUIRE(statements[3].text == "struct B {} e");
}

}  // namespace penstock::tidy
