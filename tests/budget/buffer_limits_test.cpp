#include "budget/buffer_limits.hpp"

#include "catch.hpp"

using namespace penstock;
using budget::buffers_that_are_cut;

namespace {

runtime::ListenerSpec listener(const std::string& name, std::size_t receive, std::size_t send) {
  runtime::ListenerSpec spec;
  spec.session.name = name;
  spec.session.socket.receive_buffer = receive;
  spec.session.socket.send_buffer = send;
  return spec;
}

}  // namespace

TEST_CASE("socket buffers that the kernel grants are not spoken of", "[budget]") {
  CHECK(buffers_that_are_cut({listener("web", 0, 0), listener("app", 16'384, 16'384)}).empty());
}

TEST_CASE("a socket buffer that the kernel cuts is said once, with the limit to raise",
          "[budget]") {
  constexpr std::size_t huge = std::size_t{1} << 34;
  const auto sentences =
      buffers_that_are_cut({listener("web", huge, 0), listener("app", huge, huge)});
  REQUIRE(sentences.size() == 2);
  CHECK(sentences[0].starts_with("receive_buffer of listener web and 1 more is 17179869184 bytes"));
  CHECK(sentences[0].find("raise net.core.rmem_max to 17179869184") != std::string::npos);
  CHECK(sentences[1].starts_with("send_buffer of listener app is 17179869184 bytes"));
  CHECK(sentences[1].find("net.core.wmem_max") != std::string::npos);
}
