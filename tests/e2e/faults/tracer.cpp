#include "e2e/faults/tracer.hpp"

#include <csignal>
#include <fstream>
#include <sstream>

namespace penstock::e2e {

namespace {

std::vector<std::string> joined(std::vector<std::string> command, const std::string& file,
                                const std::vector<std::string>& words) {
  command.insert(command.end(), {"-o", file});
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

std::string text_of_file(const std::string& path) {
  std::ifstream file{path};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

bool can_trace() {
  return has_program("strace") && run_program({"strace", "-o", "/dev/null", "true"}).exit_code == 0;
}

Tracer::Tracer(int process, const std::vector<std::string>& words)
    : Tracer{{"strace", "-f", "-p", std::to_string(process)}, words, Attached{}} {}

Tracer::Tracer(std::vector<std::string> command, const std::vector<std::string>& words, Attached)
    : file_{folder_.path("trace")}, strace_{joined(std::move(command), file_, words)} {
  wait_until("strace is attached", [&] {
    if (!strace_.running()) throw Failure{"strace does not attach: " + strace_.errors()};
    return strace_.errors().find("attached") != std::string::npos;
  });
}

Tracer::~Tracer() {
  try {
    detach();
  } catch (const Failure&) {
    // The process that was traced may be gone, and strace with it.
  }
}

std::string Tracer::detach() {
  if (strace_.running()) strace_.signal(SIGINT);
  strace_.wait();
  return text_of_file(file_);
}

std::map<std::string, Tracer::Count> Tracer::counts() {
  std::istringstream table{detach()};
  std::map<std::string, Count> counts;
  // "% time  seconds  usecs/call  calls  [errors]  syscall"
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields{line};
    double share = 0, seconds = 0, each = 0;
    Count count;
    if (line.find("total") != line.npos || !(fields >> share >> seconds >> each >> count.calls))
      continue;
    std::string word, name;
    while (fields >> word) {
      if (!name.empty()) count.errors = std::stoul(name);
      name = word;
    }
    counts[name] = count;
  }
  return counts;
}

std::size_t Tracer::total_calls() {
  std::size_t calls = 0;
  for (const auto& [name, count] : counts()) calls += count.calls;
  return calls;
}

std::size_t Tracer::injected() const {
  const std::string text = text_of_file(file_);
  std::size_t count = 0;
  for (const char* mark : {"(INJECTED)", "(DELAYED)"})
    for (auto at = text.find(mark); at != text.npos; at = text.find(mark, at + 1)) ++count;
  return count;
}

}  // namespace penstock::e2e
