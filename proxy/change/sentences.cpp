#include <algorithm>

#include "change/change.hpp"

namespace penstock::change {

namespace {

// Beyond so many of a kind the rest is a number.
constexpr std::size_t listed_max = 8;

template <typename Item, typename Text>
std::string listed(const std::vector<Item>& items, const Text& text_of) {
  std::string text;
  const std::size_t shown = std::min(items.size(), listed_max);
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + text_of(items[i]);
  if (items.size() > shown) text += " and " + std::to_string(items.size() - shown) + " more";
  return text;
}

template <typename Item, typename Text>
std::string clause(const char* verb, const std::vector<Item>& items, const Text& text_of) {
  return items.empty() ? std::string{} : verb + listed(items, text_of);
}

std::string fate_text(Fate fate, const Keys& keys) {
  std::string text{fate_names[fate]};
  if (keys.empty()) return text;
  return text + " (" + listed(keys, [](const std::string& key) { return key; }) + ')';
}

std::string sentence(const ListenerChange& change) {
  const auto address_text = [](const os::SocketAddress& address) { return address.to_string(); };
  std::string text = "listener " + change.name + ": " + fate_text(change.fate, change.keys);
  if (!change.formerly.empty()) text += "; was " + change.formerly + " until now";
  text += clause("; opens ", change.opened, address_text);
  text += clause("; takes over ", change.taken_over, [](const HandedOver& socket) {
    return socket.address.to_string() + " from " + socket.from;
  });
  text += clause("; gives away ", change.given_away, address_text);
  return text + clause("; closes ", change.closed, address_text);
}

std::string sentence(const UpstreamChange& change) {
  return "upstream " + change.name + ": " + fate_text(change.fate, change.keys) +
         clause("; endpoints: ", change.endpoints, [](const EndpointChange& endpoint) {
           return endpoint.identity + ' ' + fate_text(endpoint.fate, endpoint.keys);
         });
}

}  // namespace

std::vector<std::string> sentences_of(const Change& change) {
  std::vector<std::string> result;
  for (const ListenerChange& listener : change.listeners)
    if (listener.fate != Fate::kept) result.push_back(sentence(listener));
  for (const UpstreamChange& upstream : change.upstreams)
    if (upstream.fate != Fate::kept) result.push_back(sentence(upstream));
  for (const std::string& key : change.process) result.push_back(key + ": changed");
  for (const std::string& key : change.needs_restart) result.push_back(key + ": needs a restart");
  return result;
}

}  // namespace penstock::change
