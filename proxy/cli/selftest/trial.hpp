#pragma once
// One engine of the self-test: a data plane of its own, and the traffic that goes through it.
//
// Owner    the caller; everything ends with it. Thread: the calling one.
// Errors   the constructor throws SelftestFault where the data plane cannot be built.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/selftest/selftest.hpp"
#include "cli/selftest/traffic.hpp"
#include "os/fd.hpp"
#include "relay/counters.hpp"
#include "relay/options.hpp"
#include "runtime/views.hpp"

namespace penstock::runtime {
class Server;
struct ListenerSpec;
struct ServerSpec;
}  // namespace penstock::runtime
namespace penstock::upstream {
class Registry;
}

namespace penstock::cli {

class SelftestTrial {
 public:
  // A proxy before one origin.
  explicit SelftestTrial(relay::EnginePolicy engine);
  // A static server of the files in a folder.
  explicit SelftestTrial(const std::filesystem::path& root);
  SelftestTrial(const SelftestTrial&) = delete;
  SelftestTrial& operator=(const SelftestTrial&) = delete;
  ~SelftestTrial();

  SelftestLink connect();
  // A connection to the static server.
  SelftestLink connect_to_files();

  std::uint64_t bytes_by(relay::Engine engine) const;
  std::uint64_t bytes_by_sendfile() const;
  // Why the engine did not run, as far as it is known.
  std::string reason() const;

 private:
  void start(runtime::ListenerSpec listener, runtime::ServerSpec spec);
  const runtime::ForwarderView& view() const { return views_.front(); }

  os::Fd origin_listener_;
  std::unique_ptr<upstream::Registry> registry_;  // outlives the server
  std::unique_ptr<runtime::Server> server_;
  std::vector<runtime::ForwarderView> views_;
};

EngineVerdict try_engine(relay::EnginePolicy engine);
EngineVerdict try_sendfile();

}  // namespace penstock::cli
