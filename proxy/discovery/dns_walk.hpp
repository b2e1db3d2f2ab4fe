#pragma once
// One name, with its search domains: the first whole name that has a record decides for every type
// that is asked for, as in getaddrinfo(3). So no answer is a mixture of two services.
//
//   a name's replies                            | next
//   --------------------------------------------+--------------------------------------------
//   one has records                             | it decides; the others are waited for
//   none has, one is NXDOMAIN, NODATA, SERVFAIL | the next name
//   all are silent or refused                   | the name as it was given, then the end
//   one is in trouble, and this name decided    | the end: what was found there is not looked
//   the last time                               | for elsewhere because its server stumbles
//
// Owner    whoever asks. Thread: that of the io_context.
// Limits   as many questions as there are names and types; see DnsQuestion for each.
// Source   glibc 2.36 resolv/res_query.c.

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "discovery/dns_question.hpp"

namespace penstock::discovery {

class DnsWalk {
 public:
  struct Answer {
    std::size_t type = 0;  // in the list of types that were asked for
    DnsReply reply;
    std::string name;  // that decided; of no meaning where none did
  };

  // `take` is called once for each type, later than this call: as soon as a name has decided, or at
  // the end. The last time it may destroy the walk. `decided` is the name that did the last time,
  // or empty.
  DnsWalk(const DnsResolver& resolver, const std::string& name, std::vector<os::DnsType> types,
          std::string decided, std::function<void(Answer)> take);
  DnsWalk(const DnsWalk&) = delete;
  DnsWalk& operator=(const DnsWalk&) = delete;

 private:
  void ask();
  void take_reply(std::size_t type, DnsReply reply);
  bool goes_on();
  void tell(const std::vector<std::size_t>& types);

  const DnsResolver& resolver_;
  const std::string given_;
  const std::vector<os::DnsType> types_;
  const std::string decided_;
  std::function<void(Answer)> take_;
  std::vector<std::string> names_;
  std::size_t name_ = 0;  // in names_
  bool has_decided_ = false;
  std::vector<std::optional<DnsReply>> replies_;  // by type, of this name
  std::vector<upstream::DnsResult> ends_;         // by type, of the names before
  std::list<DnsQuestion> questions_;              // of this name
};

}  // namespace penstock::discovery
