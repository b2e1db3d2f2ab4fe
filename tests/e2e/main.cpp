// The end-to-end tests: the real binary between real peers, in a network of their own.
#define CATCH_CONFIG_RUNNER  // Catch2 2
#include <sys/resource.h>

#include <csignal>
#include <string_view>

#include "catch.hpp"
#include "e2e/echo_process.hpp"
#include "e2e/network.hpp"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  if (argc == 3 && std::string_view{argv[1]} == penstock::e2e::echo_word)
    return penstock::e2e::serve_echo(argv[2]);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  penstock::e2e::enter_own_network();
  return Catch::Session().run(argc, argv);
}
