#include "session/ready_sockets.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "os/socket.hpp"
#include "upstream/live_record.hpp"
#include "upstream/spec.hpp"
#include "upstream/upstream.hpp"

namespace penstock::session {

namespace {

constexpr base::Duration kept_for = std::chrono::seconds{10};
constexpr unsigned looks_before_all = 2;
// Before the next one is dialled where one was closed or refused; doubled each time.
constexpr base::Duration first_pause = std::chrono::seconds{1};
constexpr base::Duration longest_pause = std::chrono::minutes{1};

const upstream::ConnectOptions& connect_options(const Listener& listener) noexcept {
  return listener.upstream->spec().connect;
}

std::size_t wanted_by(const Listener& listener) noexcept {
  return static_cast<std::size_t>(connect_options(listener).ready);
}

bool stands_in_silence(os::Readiness ready) noexcept {
  return ready.writable && !ready.readable && !ready.failed;
}

}  // namespace

// nullptr where none are kept.
ReadySockets::Shelf* ReadySockets::shelf_for(const Listener& listener,
                                             upstream::LiveRecord& endpoint) noexcept {
  if (has_ended_) return nullptr;
  if (const auto found = shelves_.find(&endpoint); found != shelves_.end()) {
    Shelf& shelf = found->second;
    const bool fits = shelf.listener->options.socket == listener.options.socket;
    return fits ? &shelf : nullptr;
  }
  const std::size_t wanted = wanted_by(listener);
  if (!endpoint.may_have_ready_sockets() || reserved_ + wanted > kept_max) return nullptr;
  try {
    taken_from_.reserve(shelves_.size() + 1);
    due_.reserve(shelves_.size() + 1);
    Shelf shelf{.listener = &listener, .endpoint = &endpoint};
    shelf.kept.reserve(wanted);
    Shelf& made = shelves_.emplace(&endpoint, std::move(shelf)).first->second;
    reserved_ += wanted;
    return &made;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

ReadySockets::Taken ReadySockets::take(const Listener& listener, upstream::LiveRecord& endpoint,
                                       int client, base::Instant now) noexcept {
  Shelf* const shelf = shelf_for(listener, endpoint);
  if (shelf == nullptr) return {};
  if (!std::exchange(shelf->was_taken_from, true)) taken_from_.push_back(shelf);
  Taken taken;
  bool has_met_the_dead = false;
  // The oldest that stands; those that are still on their way stay.
  for (auto kept = shelf->kept.begin(); kept != shelf->kept.end() && !taken.socket;) {
    const auto ready = os::ready_now({client, kept->socket.get()});
    const bool stands = stands_in_silence(ready[1]);
    if (stands) taken = {.socket = std::move(kept->socket), .client = ready[0]};
    const bool is_dead = !stands && is_over(*shelf, *kept, ready[1], now);
    has_met_the_dead = has_met_the_dead || is_dead;
    kept = stands || is_dead ? shelf->kept.erase(kept) : kept + 1;
  }
  if (taken.socket) {
    shelf->last_pause = base::Duration{0};
    shelf->dial_after = {};
  } else if (has_met_the_dead) {
    pause(*shelf, now);
  }
  return taken;
}

void ReadySockets::replace(base::Instant now) noexcept {
  for (Shelf* shelf : due_) {
    shelf->was_taken_from = false;
    dial(*shelf, now);
  }
  due_.clear();
  due_.swap(taken_from_);
}

bool ReadySockets::make_room(const upstream::Upstream& upstream) noexcept {
  bool made = false;
  for (auto& [endpoint, shelf] : shelves_) {
    if (shelf.listener->upstream != &upstream || shelf.kept.empty()) continue;
    shelf.kept.clear();
    made = true;
  }
  return made;
}

void ReadySockets::look(base::Instant now) noexcept {
  taken_from_.clear();
  due_.clear();
  std::erase_if(shelves_,
                [](const auto& each) { return !each.second.endpoint->may_have_ready_sockets(); });
  reserved_ = 0;
  std::size_t renewed_most = renewed_at_once;
  for (auto& [endpoint, shelf] : shelves_) {
    shelf.was_taken_from = false;
    reserved_ += wanted_by(*shelf.listener);
    if (shelf.listener->upstream->is_short_of_places(*endpoint)) shelf.kept.clear();
    drop_those_that_ended(shelf, now);
    drop_the_old(shelf, renewed_most, now);
    if (shelf.looks < looks_before_all) ++shelf.looks;
    dial(shelf, now);
  }
}

void ReadySockets::drop_those_that_ended(Shelf& shelf, base::Instant now) noexcept {
  const std::size_t gone = std::erase_if(shelf.kept, [&](const Kept& kept) {
    const int socket = kept.socket.get();
    return is_over(shelf, kept, os::ready_now({socket, socket})[0], now);
  });
  if (gone > 0) pause(shelf, now);
}

// All that were dialled together grow old together: some now, the others at the next look.
void ReadySockets::drop_the_old(Shelf& shelf, std::size_t& most, base::Instant now) noexcept {
  std::erase_if(shelf.kept, [&most, now](const Kept& kept) {
    const bool goes = most > 0 && now - kept.dialled >= kept_for;
    most -= goes ? 1 : 0;
    return goes;
  });
}

void ReadySockets::pause(Shelf& shelf, base::Instant now) noexcept {
  shelf.last_pause = std::clamp(2 * shelf.last_pause, first_pause, longest_pause);
  shelf.dial_after = now + shelf.last_pause;
}

// It ended, or nobody will have it: to be closed.
bool ReadySockets::is_over(const Shelf& shelf, const Kept& kept, os::Readiness ready,
                           base::Instant now) noexcept {
  upstream::Upstream& upstream = *shelf.listener->upstream;
  if (ready.readable && os::unread_bytes(kept.socket.get()).value_or(0) > 0)
    upstream.note_speaks_first(*shelf.endpoint);
  if (ready.readable || ready.failed) return true;
  return !ready.writable &&
         now >= base::deadline_after(kept.dialled, upstream.spec().connect.timeout);
}

void ReadySockets::dial(Shelf& shelf, base::Instant now) noexcept {
  if (now < shelf.dial_after || !shelf.endpoint->may_have_ready_sockets()) return;
  const std::size_t wanted = shelf.looks < looks_before_all ? 1 : wanted_by(*shelf.listener);
  while (shelf.kept.size() < wanted) {
    auto lease = shelf.listener->upstream->take_spare(*shelf.endpoint);
    if (!lease) return;
    auto socket = os::connect_to(shelf.endpoint->address, shelf.listener->options.socket,
                                 connect_options(*shelf.listener).source);
    if (!socket) return pause(shelf, now);
    shelf.kept.push_back(
        {.socket = std::move(*socket), .lease = std::move(*lease), .dialled = now});
  }
}

void ReadySockets::end() noexcept {
  shelves_.clear();
  taken_from_.clear();
  due_.clear();
  has_ended_ = true;
}

}  // namespace penstock::session
