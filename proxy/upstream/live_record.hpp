#pragma once
// What is alive of an endpoint: the numbers that all forwarders share, and its stable identity.
//
// Owner    the Registry; a record stays where it is until long after its last connection ended, so
//          that sessions and log records may point at it whatever becomes of the configuration.
// Thread   any, but for `control`. Touched when a connection begins and ends, never for a byte.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/enum_names.hpp"
#include "base/limits.hpp"
#include "base/time.hpp"
#include "os/address.hpp"
#include "upstream/endpoint_state.hpp"
#include "upstream/health_spec.hpp"
#include "upstream/latency.hpp"

namespace penstock::upstream {

// Why an attempt to connect failed. The last four are ours, not the endpoint's.
enum class ConnectFailure : std::uint8_t {
  refused,
  timeout,
  unreachable,  // EHOSTUNREACH: the network said that nobody is there
  other,
  no_route,       // this host has no way to that network
  no_port,        // EADDRNOTAVAIL: no local port, or not our address, to connect from
  not_permitted,  // EACCES, EPERM: a firewall or a policy of this host
  local,          // no descriptor, no memory
};
inline constexpr base::EnumNames<ConnectFailure, 8> connect_failure_names{
    {"refused", "timeout", "unreachable", "other", "no_route", "no_port", "not_permitted",
     "local"}};
static_assert(connect_failure_names[ConnectFailure::local] == "local");

ConnectFailure connect_failure_from(int error_number) noexcept;

// The same of a connect() that failed at once. Where it is this host that cannot go there, no
// packet left: no_route, no_port or not_permitted, else empty.
std::optional<ConnectFailure> host_fault_from(int error_number) noexcept;

constexpr bool is_endpoints_fault(ConnectFailure failure) noexcept {
  return failure < ConnectFailure::no_route;
}

// So long others are picked before an endpoint that this host could not go to.
inline constexpr base::Duration host_fault_remembered = std::chrono::seconds{5};

struct alignas(base::cache_line_bytes) LiveRecord {
  LiveRecord(std::uint32_t record_number, std::string upstream_name, std::string endpoint_identity,
             os::SocketAddress where)
      : number{record_number},
        upstream{std::move(upstream_name)},
        identity{std::move(endpoint_identity)},
        address{std::move(where)} {}

  const std::uint32_t number;  // unique in the process
  const std::string upstream;
  const std::string identity;
  const os::SocketAddress address;

  // For what is kept ready there (session/ready_sockets), and seldom written. By control, as of the
  // last snapshot: it is up and new connections go there first; and its max_connections.
  std::atomic<bool> is_first_choice{false};
  std::atomic<std::uint32_t> max_connections{0};
  // It said something on one: none are kept any more.
  std::atomic<bool> speaks_first{false};

  // Connections and attempts under way. A reservation: taken before the attempt.
  alignas(base::cache_line_bytes) std::atomic<std::uint32_t> active{0};
  std::atomic<std::uint32_t> failed_in_a_row{0};
  // Nanoseconds of the clock; 0 = not ejected. Set by whoever ejects, cleared by control alone.
  std::atomic<std::int64_t> ejected_until{0};
  // This host could not go there when it was asked last: why, as a ConnectFailure, or
  // no_host_fault; and until when others are picked first, in nanoseconds of the clock.
  std::atomic<std::uint8_t> host_fault{no_host_fault};
  std::atomic<std::uint32_t> spare{0};  // of `active`, kept ready: places, but no load
  std::atomic<std::int64_t> cut_off_until{0};
  // When its drained connections are reset; nanoseconds of the clock.
  std::atomic<std::int64_t> drain_deadline{base::never.time_since_epoch().count()};
  std::atomic<std::uint32_t> ejections_in_a_row{0};  // control forgets them after a good while
  Latency latency;
  std::atomic<std::uint64_t> connections{0};  // that stood
  std::atomic<std::uint64_t> ejections{0};
  std::array<std::atomic<std::uint64_t>, connect_failure_names.size()> failures{};

  static constexpr std::uint8_t no_host_fault = connect_failure_names.size();
  std::optional<ConnectFailure> known_host_fault() const noexcept {
    const std::uint8_t fault = host_fault.load(std::memory_order_relaxed);
    if (fault == no_host_fault) return {};
    return static_cast<ConnectFailure>(fault);
  }
  bool is_cut_off(base::Instant now) const noexcept {
    return now.time_since_epoch().count() < cut_off_until.load(std::memory_order_relaxed);
  }
  // What balancing compares.
  std::uint32_t load() const noexcept {
    const std::uint32_t all = active.load(std::memory_order_relaxed);
    return all - std::min(all, spare.load(std::memory_order_relaxed));
  }
  bool is_ejected() const noexcept { return ejected_until.load(std::memory_order_relaxed) != 0; }
  bool may_have_ready_sockets() const noexcept {
    return is_first_choice.load(std::memory_order_relaxed) &&
           !speaks_first.load(std::memory_order_relaxed) && !is_ejected() && !known_host_fault();
  }

  // Seen by the control thread alone.
  struct Control {
    Health health = Health::up;
    std::string health_why;
    Override said = Override::up;
    State shown = State::up;  // as of the last refresh
    base::Instant since{};    // it has been that state
    bool was_found = false;   // by discovery, which may name it before its port answers
    std::uint8_t told_host_fault = no_host_fault;
    bool told_speaks_first = false;
    bool eases_in = false;      // with a slow start, once it is up
    base::Instant ramp_from{};  // of the slow start
    base::Instant ramp_until{};
    base::Instant returned{};              // from the last ejection
    base::Instant vanished = base::never;  // from its upstream
    base::Instant held{};                  // then; connections were seen there last
    // Vanished, it stays what it was until then, should it return; afterwards on_remove acts.
    base::Instant forget_at = base::never;
    std::array<std::uint64_t, check_result_names.size()> checks{};
  } control;

  State state() const noexcept { return state_of(control.said, is_ejected(), control.health); }
};

}  // namespace penstock::upstream
