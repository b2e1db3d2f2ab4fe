#include "cli/ctl/verbs.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <iostream>
#include <thread>

#include "base/exit_codes.hpp"
#include "base/text.hpp"
#include "cli/ctl/client.hpp"
#include "cli/ctl/text.hpp"
#include "os/clock.hpp"
#include "report/budget_text.hpp"
#include "report/numa/text.hpp"

namespace penstock::cli {

namespace {

constexpr base::Duration poll_interval = std::chrono::milliseconds{100};
constexpr base::Duration patience = std::chrono::seconds{5};

int complain(const CtlWorld& world, std::string_view sentence) {
  world.err << "penstock ctl: " << base::printable(sentence) << '\n';
  return base::failure;
}

// The server's own sentence, where it sent one.
std::string reason_in(const CtlReply& reply) {
  boost::system::error_code error;
  const auto body = boost::json::parse(reply.body, error);
  if (!error && body.is_object())
    if (const auto* sentence = body.get_object().if_contains("error");
        sentence != nullptr && sentence->is_string())
      return std::string{sentence->get_string()};
  return "the admin answered with status " + std::to_string(reply.status);
}

bool is_success(const CtlReply& reply) {
  return reply.status >= 200 && reply.status < 300;
}

// Fetches a page and shows it; `judge` gives the exit code.
template <class Text, class Judge>
int show(const CtlCommand& command, CtlWorld& world, std::string_view target, Text&& text,
         Judge&& judge) {
  const CtlFetched reply = world.fetch("GET", target, patience);
  if (!reply) return complain(world, reply.error());
  if (!is_success(*reply)) return complain(world, reason_in(*reply));
  try {
    const auto body = boost::json::parse(reply->body);
    world.out << (command.json ? reply->body : text(body));
    return judge(body);
  } catch (const std::exception&) {
    return complain(world, "what answered is not a penstock of this version");
  }
}

int always_success(const boost::json::value& /*body*/) {
  return base::success;
}

int wait_ready(const CtlCommand& command, CtlWorld& world) {
  const base::Instant deadline = world.now() + command.timeout;
  while (true) {
    // Where the time is up it is still asked once, shortly.
    const base::Duration left = std::max(deadline - world.now(), poll_interval);
    const CtlFetched reply = world.fetch("GET", "/readyz", std::min(left, patience));
    if (reply && is_success(*reply)) {
      world.out << (command.json ? reply->body : "ready\n");
      return base::success;
    }
    const base::Instant now = world.now();
    if (now >= deadline)
      return complain(world, "not ready in time: " + (reply ? reason_in(*reply) : reply.error()));
    world.pause(std::min(poll_interval, deadline - now));
  }
}

std::string drained_text(const boost::json::value& end) {
  return fmt::format("drained: {} connections ended, {} were cut\n",
                     end.at("drained").to_number<std::uint64_t>(),
                     end.at("cut").to_number<std::uint64_t>());
}

// The proxy answers at the end; where the answer does not come, nobody knows what became of it.
int drain(const CtlCommand& command, CtlWorld& world) {
  const CtlFetched reply = command.wait
                               ? world.fetch("POST", "/drain?wait=true", base::Duration::max())
                               : world.fetch("POST", "/drain", patience);
  if (!reply)
    return complain(
        world, (command.wait ? "not known whether the drain has ended: " : "") + reply.error());
  if (!is_success(*reply)) return complain(world, reason_in(*reply));
  try {
    const std::string text =
        command.wait ? drained_text(boost::json::parse(reply->body)) : "draining\n";
    world.out << (command.json ? reply->body : text);
    return base::success;
  } catch (const std::exception&) {
    return complain(world, "what answered is not a penstock of this version");
  }
}

int steer_endpoint(const CtlCommand& command, CtlWorld& world) {
  const CtlFetched reply = world.fetch(
      "POST",
      fmt::format("/upstreams/{}/endpoints/{}?state={}", part_of_target(command.upstream),
                  part_of_target(command.endpoint), part_of_target(command.state)),
      patience);
  if (!reply) return complain(world, reply.error());
  if (!is_success(*reply)) return complain(world, reason_in(*reply));
  world.out << (command.json ? reply->body
                             : fmt::format("{} of {}: {}\n", command.endpoint, command.upstream,
                                           command.state));
  return base::success;
}

}  // namespace

int run_ctl(const CtlCommand& command, CtlWorld& world) {
  switch (command.verb) {
    case CtlVerb::status:
      return show(command, world, "/status", status_text, [](const boost::json::value& status) {
        return status.at("healthy").as_bool() && status.at("ready").as_bool() ? base::success
                                                                              : base::failure;
      });
    case CtlVerb::wait_ready: return wait_ready(command, world);
    case CtlVerb::listeners:
      return show(command, world, "/listeners", listeners_text, always_success);
    case CtlVerb::upstreams:
      return show(command, world, "/upstreams", upstreams_text, always_success);
    case CtlVerb::budget:
      return show(command, world, "/budget", report::budget_text, always_success);
    case CtlVerb::numa: return show(command, world, "/numa", report::numa_text, always_success);
    case CtlVerb::endpoint: return steer_endpoint(command, world);
    case CtlVerb::drain: return drain(command, world);
  }
  return base::failure;
}

int run_ctl(const CtlCommand& command) {
  CtlWorld world{.fetch =
                     [&](std::string_view method, std::string_view target, base::Duration longest) {
                       return fetch(command.admin, method, target, longest);
                     },
                 .pause = [](base::Duration time) { std::this_thread::sleep_for(time); },
                 .now = os::now,
                 .out = std::cout,
                 .err = std::cerr};
  return run_ctl(command, world);
}

}  // namespace penstock::cli
