#pragma once
// What is alive of an endpoint: the numbers that all forwarders share, and its stable identity.
//
// Owner    the Registry; a record stays where it is for as long as the server lives, so that
//          sessions and log records may point at it whatever becomes of the configuration.
// Thread   any. Touched when a connection begins and ends, never for a byte.

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "base/enum_names.hpp"
#include "base/limits.hpp"
#include "os/address.hpp"

namespace penstock::upstream {

// Why an attempt to connect failed.
enum class ConnectFailure : std::uint8_t { refused, timeout, unreachable, local, other };
inline constexpr base::EnumNames<ConnectFailure, 5> connect_failure_names{
    {"refused", "timeout", "unreachable", "local", "other"}};
static_assert(connect_failure_names[ConnectFailure::other] == "other");

ConnectFailure connect_failure_from(int error_number) noexcept;

struct alignas(base::cache_line_bytes) LiveRecord {
  LiveRecord(std::string upstream_name, std::string endpoint_identity, os::SocketAddress where)
      : upstream{std::move(upstream_name)},
        identity{std::move(endpoint_identity)},
        address{std::move(where)} {}

  const std::string upstream;
  const std::string identity;
  const os::SocketAddress address;

  // Connections and attempts under way. A reservation: taken before the attempt.
  alignas(base::cache_line_bytes) std::atomic<std::uint32_t> active{0};
  std::atomic<std::uint64_t> connections{0};  // that stood
  std::array<std::atomic<std::uint64_t>, connect_failure_names.size()> failures{};
};

}  // namespace penstock::upstream
