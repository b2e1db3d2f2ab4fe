#include "runtime/command_outbox.hpp"

#include <tuple>

#include "runtime/forwarder.hpp"

namespace penstock::runtime {

void CommandOutbox::send(const Command& command) {
  control_.check();
  for (Line& line : lines_) {
    line.waiting.push_back(command);
    send_waiting(line);
  }
}

void CommandOutbox::ping(std::uint64_t number) {
  control_.check();
  for (Line& line : lines_)
    if (send_waiting(line)) std::ignore = line.forwarder->command({.number = number});
}

bool CommandOutbox::send_waiting(Line& line) {
  while (!line.waiting.empty() && line.forwarder->command(line.waiting.front()))
    line.waiting.pop_front();
  return line.waiting.empty();
}

}  // namespace penstock::runtime
