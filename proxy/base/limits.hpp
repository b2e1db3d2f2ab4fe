#pragma once
// Every limit of penstock that is not a configuration key, in one place, with the sums between
// them.

#include <cstddef>
#include <cstdint>

#include "base/time.hpp"

namespace penstock::base {

inline constexpr std::size_t cache_line_bytes = 64;

// Configuration files.
inline constexpr std::size_t config_bytes_max = 1 << 20;
inline constexpr int config_depth_max = 32;
inline constexpr int config_nodes_max = 200'000;
inline constexpr std::size_t config_text_max = 4 << 20;      // of all values, aliases expanded
inline constexpr std::size_t listener_addresses_max = 1024;  // what a port range may grow to

// Threads.
inline constexpr std::size_t forwarders_max = 256;
inline constexpr std::size_t handoff_ring_slots = 1024;  // per acceptor and forwarder
inline constexpr std::size_t record_ring_slots = 8192;   // per forwarder, towards control
inline constexpr std::size_t accept_batch_max = 64;      // accepts per wake-up of a listener
inline constexpr std::size_t poll_batch_max = 256;       // events per wake-up of a forwarder

// The relay. The thresholds are measured: see docs/RELAY.md.
inline constexpr std::size_t splice_from_bytes = 16 * 1024;  // one read so large leases a pipe
inline constexpr std::size_t copy_below_bytes = 4 * 1024;  // chunks so small, four in a row, end it
inline constexpr int copy_after_small_chunks = 4;
inline constexpr std::size_t direction_budget_bytes = 1 << 20;  // per wake-up and direction
inline constexpr int direction_steps_max = 256;                 // reads and writes, likewise
// Bulk waits behind small exchanges, but not longer than this, and then has a turn of this length.
inline constexpr Duration bulk_patience = std::chrono::microseconds{500};
inline constexpr Duration bulk_turn = std::chrono::microseconds{100};
inline constexpr std::size_t pipe_bytes_min = 64 * 1024;  // a smaller pipe is not worth leasing
inline constexpr std::size_t pipes_warm_max = 64;         // idle pipes kept per forwarder
// Pipes that grow (relay.pipe_size: auto). Reads that fill a third of a pipe count as full ones: a
// segment from the network takes a slot of 4096 bytes for its 1448.
inline constexpr std::size_t pipe_bytes_usual = 256 * 1024;
inline constexpr std::size_t pipe_bytes_grown = 1 << 20;
inline constexpr std::size_t full_pipe_share = 3;
inline constexpr int grow_after_full_pipes = 4;     // more of them than of others by so many
inline constexpr std::size_t grown_pipes_max = 64;  // per forwarder
inline constexpr std::size_t grown_pipes_share =
    4;  // at most a quarter of pipes, and of their pages
inline constexpr std::size_t held_buffers_max = 1024;     // per forwarder
inline constexpr std::size_t held_buffers_warm_max = 64;  // idle ones kept per forwarder

// Sending without a copy. So many buffers of a direction may wait for their notice, and so many
// directions of a forwarder may have any. A path that copies after all is tried again later.
inline constexpr std::size_t zerocopy_in_flight_max = 16;
inline constexpr std::size_t zerocopy_directions_max = 1024;
inline constexpr std::size_t zerocopy_paths = 256;
inline constexpr Duration zerocopy_retry_after = std::chrono::minutes{1};
inline constexpr int copy_after_small_sends = 4;

// The ring: what a receive fills is as large as what begins to be worth a pipe.
inline constexpr std::size_t ring_buffers = 256;  // per forwarder
inline constexpr std::size_t ring_buffer_bytes = splice_from_bytes;

// Static files.
inline constexpr std::size_t file_ranges_max = 16;  // parts of a file in one answer
inline constexpr std::size_t open_files_max = 1'000'000;
inline constexpr Duration file_recheck_after = std::chrono::seconds{1};

// Connecting.
inline constexpr int connect_attempts_max = 8;
inline constexpr std::size_t endpoints_max = 16'384;  // per upstream
inline constexpr std::size_t weight_max = 65'535;
inline constexpr std::size_t places_max = 1'000'000;        // what max_connections may say
inline constexpr std::uint64_t ejection_doublings_max = 4;  // 30 s grows to 8 minutes
inline constexpr std::size_t queue_size_max = 1'000'000;    // connections that wait, per upstream
// Larger sums of weights are scaled down to this, and each that would be 0 then counts as 1.
inline constexpr std::size_t weights_sum_max = 61'440;
inline constexpr std::size_t round_robin_order_max = weights_sum_max + endpoints_max;  // slots

// Health checks.
inline constexpr std::size_t health_checks_max = 1024;  // at the same time; more wait in line
inline constexpr std::size_t health_answer_max =
    64 * 1024;                                        // bytes of an answer that are looked at
inline constexpr std::size_t health_text_max = 4096;  // bytes to send or to expect
// First checks keep this distance, or less where they would not fit into one interval.
inline constexpr Duration health_start_gap = std::chrono::milliseconds{10};

inline constexpr std::size_t admin_connections_max = 64;  // of each admin address

// Descriptors that are not connections: listeners, epoll, eventfds, logs, admin, static files.
inline constexpr std::size_t descriptors_reserved = 128;
inline constexpr std::size_t descriptors_per_connection = 2;
// Of a name: each question has a socket of its own, and SRV targets are asked for 8 at a time.
inline constexpr std::size_t descriptors_per_lookup = 16;
inline constexpr std::size_t descriptors_per_pipe = 2;

// Memory, where a control group limits it: the program itself, and what the kernel charges us for
// the two sockets of a connection, their watches and our record (measured: tests/e2e/faults, C5).
inline constexpr std::size_t memory_reserved_bytes = 24 << 20;
inline constexpr std::size_t memory_per_connection_bytes = 16 << 10;
inline constexpr std::size_t memory_share_of_buffers = 4;  // a quarter of the rest is for them
inline constexpr std::size_t held_buffers_min = 4;         // per forwarder

// Drain (contract: a listener stops without resetting what is queued). After the SYN filter is set,
// handshakes that were under way still need their last ACK: this long they may take.
inline constexpr Duration drain_handshake_settle = std::chrono::milliseconds{200};
inline constexpr Duration drain_idle_after = std::chrono::seconds{1};

// A round of a forwarder's loop that takes longer is reported: it was blocked, or not scheduled.
inline constexpr Duration round_max = std::chrono::milliseconds{100};
// A direction that could move bytes and has not for so long has stalled. A forwarder looks at so
// many of its connections a second.
inline constexpr Duration stall_after = std::chrono::seconds{5};
inline constexpr std::size_t stall_looks_max = 256;
inline constexpr std::size_t stall_suspects_max = 64;
inline constexpr std::size_t stall_ring_slots = 64;       // per forwarder, towards control
inline constexpr std::size_t flight_recorders_max = 512;  // per forwarder

// A forwarder that has not answered for so long is reported by /healthz.
inline constexpr Duration forwarder_silent_max = std::chrono::seconds{5};

static_assert(splice_from_bytes > copy_below_bytes, "the way in and the way back must not meet");
static_assert(pipe_bytes_min >= splice_from_bytes,
              "a pipe must take a chunk that is worth splicing");
static_assert(direction_budget_bytes >= 2 * pipe_bytes_min,
              "a budget below a pipe would starve splice");

}  // namespace penstock::base
