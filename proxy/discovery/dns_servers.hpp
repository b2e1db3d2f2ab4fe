#pragma once
// What is known of the name servers of this host: who was silent lately is asked last, so that a
// dead server costs one look-up its timeout, not each of them.
//
// A server is held for dead when two questions in a row got no answer from it: one packet may
// always be lost. After `dead_for` it is asked in its own place again. Where all are dead the order
// is that of the file.
//
// Owner    DnsWatch. Thread: that of its io_context.
// Limits   as many as the configuration names; others are forgotten.

#include <map>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "discovery/resolver_config.hpp"

namespace penstock::discovery {

class DnsServers {
 public:
  static constexpr int silent_questions_max = 2;
  static constexpr base::Duration dead_for = std::chrono::seconds{30};

  // In which order a question is asked now. With `rotate` each question begins with another one.
  std::vector<std::string> order(const ResolverConfig& config, base::Instant now);
  void answered(const std::string& server);
  // It was silent, or the host says that nobody listens there.
  void failed(const std::string& server, base::Instant now);

 private:
  struct Record {
    int silent_questions = 0;  // in a row
    base::Instant dead_until{};
  };

  std::map<std::string, Record> records_;
  std::size_t turn_ = 0;
};

}  // namespace penstock::discovery
