// The invariants of a static listener: what an answer is, when a connection may end, and what the
// record says.

#include <algorithm>
#include <numeric>

#include "files/responder.hpp"
#include "simulation/file_world.hpp"

namespace penstock::simulation {

namespace {

// The number behind "\r\nNAME: ".
std::uint64_t number_in(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  return at == std::string::npos ? 0 : std::stoull(head.substr(at + name.size() + 4));
}

}  // namespace

void FileWorld::registered(const std::shared_ptr<Socket>&, std::uint64_t) {}

void FileWorld::fill(std::span<std::byte> into, int connection, unsigned, std::uint64_t offset) {
  Client& client = *clients_[static_cast<std::size_t>(connection)];
  std::transform(client.text.begin() + static_cast<std::ptrdiff_t>(offset),
                 client.text.begin() + static_cast<std::ptrdiff_t>(offset + into.size()),
                 into.begin(), [](char c) { return static_cast<std::byte>(c); });
  const std::uint64_t end = offset + into.size();
  const std::uint64_t whole = client.end_of(client.requests_within(end));
  if (offset <= whole || offset == 0) client.head_began = rig_.kernel.now();
  for (Request& request : client.requests)
    if (request.end > offset && request.end <= end) request.read_at_wait = waits_;
  client.moved = rig_.kernel.now();
}

void FileWorld::sends(const Socket& target, std::span<const std::byte> bytes) {
  Client& client = of(target);
  client.moved = rig_.kernel.now();
  const std::uint64_t all = target.sent + bytes.size();
  while (!bytes.empty()) {
    if (client.answers.body_left > 0) {
      take_body(client, bytes);
    } else {
      client.answers.head += static_cast<char>(bytes.front());
      bytes = bytes.subspan(1);
      if (!client.answers.head.ends_with("\r\n\r\n")) continue;
      take_head(client);
    }
    if (client.answers.body_left == 0) client.answers.ends.push_back(all - bytes.size());
  }
}

void FileWorld::take_body(Client& client, std::span<const std::byte>& bytes) {
  Answers& answers = client.answers;
  const auto count =
      static_cast<std::size_t>(std::min<std::uint64_t>(answers.body_left, bytes.size()));
  if (answers.status == 200) {
    const unsigned file = client.requests[client.answered()].file;
    for (std::size_t i = 0; i < count; ++i)
      if (bytes[i] != Kernel::content_of_file(file, answers.body_at + i))
        violated("an answer is the file that was asked for", client.end->connection,
                 "wrong byte at offset " + std::to_string(answers.body_at + i));
  }
  answers.body_at += count;
  answers.body_left -= count;
  bytes = bytes.subspan(count);
}

void FileWorld::take_head(Client& client) {
  Answers& answers = client.answers;
  const std::string head = std::exchange(answers.head, {});
  answers.status = std::stoi(head.substr(9, 3));
  answers.body_left = number_in(head, "Content-Length");
  answers.body_at = 0;
  const bool told = head.find("\r\nConnection: close\r\n") != std::string::npos;
  const int number = client.end->connection;
  if (answers.told) violated("nothing comes after the last answer", number, head);
  answers.told = told;
  if (answers.status == 408) {
    const bool due = rig_.kernel.now() - client.head_began >=
                     std::min<base::Duration>(plan_.timeouts.idle, files::request_head_within);
    if (!due) violated("no deadline comes early", number, "408");
    return;
  }
  if (client.answered() >= client.requests_within(client.end->read))
    violated("an answer answers a request that was read", number, head);
  const Request& request = client.requests[client.answered()];
  const bool is_short_of = answers.status == 503 && plan_.conditions.one_in != 0;
  const bool is_file = answers.status == 200 && answers.body_left <= first_bytes_[request.file] &&
                       (cut_[request.file] || answers.body_left == first_bytes_[request.file]);
  if (!is_short_of && !is_file) violated("an answer is the file that was asked for", number, head);
  check_told(client, told);
}

bool FileWorld::is_being_drained(const Request& request) const noexcept {
  return drain_deadline_ != base::never && request.read_at_wait >= drain_began_at_wait_ + 2;
}

// While an answer goes out nothing more is read: what was read then, is read now.
void FileWorld::check_told(Client& client, bool told) const {
  const Request& request = client.requests[client.answered()];
  const bool more_was_read = client.end->read > request.end;
  const bool must = request.asks_close || (is_being_drained(request) && !more_was_read);
  const bool may = request.asks_close || (drain_deadline_ != base::never && !more_was_read);
  if (must && !told)
    violated("in a drain a client is told with the last answer to what came",
             client.end->connection, "it was not");
  if (told && !may)
    violated("who is told to close loses no request", client.end->connection,
             "more had been read, or nothing drains");
}

void FileWorld::finishes(const Socket& target) {
  const Client& client = of(target);
  if (client.within_answer())
    violated("FIN only after a whole answer", target.connection,
             std::to_string(client.answers.body_left) + " bytes are missing");
  if (client.answers.told) return;
  if (!target.fin_received || target.unread() > 0) return check_end_by_us(client);
  if (client.answered() != client.requests_within(target.arrived) && !client.disturbed)
    violated("who finishes behind its requests is answered", target.connection,
             std::to_string(client.answered()) + " answers");
}

// It has rested: nothing that was announced is without an answer, and no byte moved for a second.
void FileWorld::check_end_by_us(const Client& client) const {
  const int number = client.end->connection;
  const bool drains = drain_deadline_ != base::never;
  if (!drains && !client.disturbed)
    violated("a client that is not told is not closed", number, "nothing drains");
  if (plan_.short_timeouts) return;
  if (client.end->announced > client.end_of(client.answered()))
    violated("a drain loses no request", number,
             std::to_string(client.end->announced) + " bytes were announced");
  constexpr auto round = std::chrono::milliseconds{20};
  if (!client.disturbed && rig_.kernel.now() - client.moved < std::chrono::seconds{1} - round)
    violated("no deadline comes early", number, "it had not rested for a second");
}

void FileWorld::resets(const Socket& target) {
  const Client& client = of(target);
  if (stopping_ || client.disturbed || rig_.kernel.now() >= drain_deadline_) return;
  // Bytes that came after it was looked at: closing makes a reset of it.
  const bool only_crossed = !target.reset_on_close && target.unread() > 0;
  if (only_crossed && client.answers.told) return;
  if (only_crossed) return check_end_by_us(client);
  violated("what nobody disturbed is not reset", target.connection, "it was");
}

void FileWorld::call_failed(const Socket* socket) {
  if (socket != nullptr) of(*socket).disturbed = true;
}

void FileWorld::sleeps() {
  for (const auto& client : clients_) {
    const Socket& socket = *client->end;
    if (!socket.registered || socket.closed || client->recorded || client->disturbed) continue;
    const bool has_room = 3 * socket.room() >= socket.send_capacity && !socket.met_full;
    const bool finished = socket.fin_received && socket.sent == socket.taken;
    if (has_room && (socket.unread() > 0 || finished))
      violated("who could go on is not asleep", socket.connection,
               std::to_string(socket.unread()) + " bytes wait");
  }
}

void FileWorld::collect_records() {
  session::Record record;
  while (rig_.forwarder.records().try_pop(record)) check_record(record);
}

void FileWorld::check_record(const session::Record& record) {
  if (record.event != session::Record::Event::close) return;
  const auto number = static_cast<int>(record.id);
  Client& client = *clients_[record.id];
  if (client.recorded) violated("every connection has one record", number, "a second came");
  client.recorded = true;
  using session::CloseReason;
  ++tally_.reasons[static_cast<std::size_t>(record.reason)];
  const auto& bytes = record.bytes[session::to_client];
  const auto copied = std::accumulate(bytes.begin(), bytes.end(), std::uint64_t{0});
  tally_.bytes[0] += copied + record.sent_by_sendfile;
  if (copied + record.sent_by_sendfile != client.end->sent)
    violated("the record counts every byte", number, std::to_string(copied));
  if (client.within_answer() && !record.truncated_to_client)
    violated("the record says what was lost", number, "an answer broke off");
  const std::string reason{session::close_reason_names[record.reason]};
  const bool was_cut = std::find(cut_.begin(), cut_.end(), true) != cut_.end();
  if (record.reason == CloseReason::internal ||
      (record.reason == CloseReason::upstream_reset && !was_cut))
    violated("an ending has its own reason", number, reason);
  const bool complete = record.reason == CloseReason::complete;
  const bool drained = record.reason == CloseReason::drain && drain_deadline_ != base::never;
  if (!complete && !drained && !client.disturbed)
    violated("what nobody disturbed is complete", number, reason);
  const bool all = client.answered() == client.requests.size();
  if (complete && !client.disturbed && !client.answers.told && !all)
    violated("complete means that every request was answered", number,
             std::to_string(client.answered()) + " were");
}

void FileWorld::check_end() const {
  for (std::size_t i = 0; i < clients_.size(); ++i)
    if (!clients_[i]->recorded)
      violated("every connection has one record", static_cast<int>(i), "none came");
  rig_.check_given_back();
}

}  // namespace penstock::simulation
