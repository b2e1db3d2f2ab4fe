#pragma once
// One connection through the proxy that may fail anywhere: a request to the end, an answer to the
// end, and what each side saw. It never hangs and never throws: a connection that does not end is a
// fact as well.
//
//   Exchanger exchanger{request_bytes, answer_bytes};   // with an origin of its own
//   Penstock penstock{{.endpoints = {exchanger.address()}}};
//   const Exchange exchange = exchanger.run(penstock.address());
//
// Owner    the test. Thread: run() the test's; the origin's side runs on a thread of this object.

#include <deque>
#include <mutex>
#include <string>

#include "e2e/origin.hpp"
#include "e2e/payload.hpp"

namespace penstock::e2e {

struct Exchange {
  Received at_client{};
  bool whole = false;   // every byte, in both directions, and FIN
  bool honest = false;  // nobody got a foreign byte, and nobody got FIN before the last one
  bool stuck = false;   // it did not end in time
};

class Exchanger {
 public:
  Exchanger(std::size_t request_bytes, std::size_t answer_bytes);

  const std::string& address() const noexcept { return origin_.address(); }
  Exchange run(const std::string& proxy);

 private:
  void answer(Peer peer);

  const std::string_view request_;
  const std::string_view answer_;
  std::mutex mutex_;
  std::deque<Received> received_;  // at the origin, in this exchange
  Origin origin_;
};

}  // namespace penstock::e2e
