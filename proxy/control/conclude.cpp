#include "control/conclude.hpp"

#include <fmt/core.h>

#include <boost/system/system_error.hpp>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <new>
#include <system_error>

#include "base/exit_codes.hpp"

namespace penstock::control {

namespace {

// Asio's exceptions are none of the standard's. No code where the exception bears none.
std::error_code code_of(const std::exception& error) {
  if (const auto* standard = dynamic_cast<const std::system_error*>(&error))
    return standard->code();
  if (const auto* boosts = dynamic_cast<const boost::system::system_error*>(&error))
    return boosts->code();
  return {};
}

}  // namespace

std::string sentence_for(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr)
    return "out of memory: raise the limit (ulimit -v, memory.max of the control group) or lower "
           "runtime.max_connections";
  const std::error_code code = code_of(error);
  if (code == std::errc::resource_unavailable_try_again)
    return "cannot start: no thread could be created; raise the limit of processes (ulimit -u, "
           "pids.max of the control group)";
  if (code == std::errc::too_many_files_open || code == std::errc::too_many_files_open_in_system)
    return "cannot start: too few descriptors; raise the limit (ulimit -n, LimitNOFILE= of "
           "systemd, --ulimit nofile= of a container)";
  return fmt::format("cannot start: {}", error.what());
}

int conclude(const std::function<int()>& verb) {
  std::cerr.tie(nullptr);  // it would flush the answer, and nobody would look at what came of that
  int exit_code = base::failure;
  try {
    exit_code = verb();
  } catch (const std::exception& error) {
    std::cerr << "penstock: " << sentence_for(error) << '\n';
  }
  errno = 0;
  if (std::cout.flush()) return exit_code;
  // Where a long answer failed before its end, the reason is gone.
  const std::string reason = errno == 0 ? std::string{} : std::string{": "} + std::strerror(errno);
  std::cerr << "penstock: the answer could not be written to standard output" << reason << '\n';
  return exit_code == base::success ? base::failure : exit_code;
}

}  // namespace penstock::control
