#include "e2e/faults/exchange.hpp"

namespace penstock::e2e {

namespace {

// False where a reset came while there was still something to be sent. The error is gone then, and
// who reads afterwards finds what looks like FIN.
bool send_all(Peer& peer, std::string_view bytes) {
  try {
    peer.send(bytes);
    peer.finish_sending();
    return true;
  } catch (const Failure&) {
    return false;
  }
}

bool is_honest(const Received& received, std::string_view sent) {
  const bool no_foreign_byte = sent.starts_with(received.bytes);
  return no_foreign_byte && (received.ending != Ending::fin || received.bytes == sent);
}

}  // namespace

Exchanger::Exchanger(std::size_t request_bytes, std::size_t answer_bytes)
    : request_{payload(run_seed(), request_bytes)}, answer_{payload(run_seed() + 1, answer_bytes)} {
  origin_.serve([this](Peer peer) { answer(std::move(peer)); });
}

void Exchanger::answer(Peer peer) {
  Received received = peer.receive_all();
  const bool complete = received.ending == Ending::fin;
  {
    const std::lock_guard lock{mutex_};
    received_.push_back(std::move(received));
  }
  if (!complete) return;
  send_all(peer, answer_);
  // Who closes first would reset what the other has not read yet.
  peer.receive_all();
}

Exchange Exchanger::run(const std::string& proxy) {
  {
    const std::lock_guard lock{mutex_};
    received_.clear();
  }
  Exchange exchange;
  try {
    Peer client = Peer::connect(proxy);
    const bool sent = send_all(client, request_);
    exchange.at_client = client.receive_all();
    if (!sent) exchange.at_client.ending = Ending::reset;
  } catch (const Failure&) {
    exchange.at_client.ending = Ending::reset;
  }
  const std::lock_guard lock{mutex_};
  exchange.stuck = exchange.at_client.ending == Ending::open;
  exchange.honest = is_honest(exchange.at_client, answer_);
  for (const Received& received : received_)
    exchange.honest = exchange.honest && is_honest(received, request_);
  exchange.whole = exchange.at_client.ending == Ending::fin && exchange.honest &&
                   !received_.empty() && received_.back().bytes == request_;
  return exchange;
}

}  // namespace penstock::e2e
