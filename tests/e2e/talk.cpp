#include "e2e/talk.hpp"

namespace penstock::e2e {

void Talk::goes_on() {
  client.send("ping");
  if (served.read(4) != "ping") throw Failure{"the origin hears something else"};
  served.send("pong");
  if (client.read(4) != "pong") throw Failure{"the client hears something else"};
}

std::vector<Talk> talk_to_both(const Penstock& penstock, Origin& a, Origin& b) {
  Peer first = penstock.client();
  wait_until("one is reached", [&] { return a.somebody_waits() || b.somebody_waits(); });
  const bool first_is_a = a.somebody_waits();
  Peer second = penstock.client();
  std::vector<Talk> both;
  both.push_back({first_is_a ? std::move(first) : std::move(second), a.accept()});
  both.push_back({first_is_a ? std::move(second) : std::move(first), b.accept()});
  for (Talk& one : both) one.goes_on();
  return both;
}

}  // namespace penstock::e2e
