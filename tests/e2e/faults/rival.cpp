#include "e2e/faults/rival.hpp"

#include <unistd.h>

#include <fstream>

#include "e2e/network.hpp"

namespace penstock::e2e {

namespace {

struct Rival {
  std::string name;
  std::string program;
  // The words of the command; writes what it needs into the folder.
  std::function<std::vector<std::string>(const TemporaryFolder&, const std::string& bind,
                                         const std::string& upstream, const RivalSettings&)>
      command;
};

std::vector<std::string> haproxy(const TemporaryFolder& folder, const std::string& bind,
                                 const std::string& upstream, const RivalSettings& settings,
                                 const std::string& options) {
  const std::string text =
      "global\n  nbthread 1\ndefaults\n  mode tcp\n" + options +
      "  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n  timeout client-fin " +
      settings.half_close_timeout + "\n  timeout server-fin " + settings.half_close_timeout +
      "\nlisten l\n  bind " + bind + "\n  server s " + upstream + "\n";
  return {"haproxy", "-db", "-f", folder.write("haproxy.cfg", text)};
}

std::vector<std::string> nginx(const TemporaryFolder& folder, const std::string& bind,
                               const std::string& upstream, const RivalSettings&) {
  const std::string text =
      "load_module /usr/lib/nginx/modules/ngx_stream_module.so;\ndaemon off;\nmaster_process off;\n"
      "pid " +
      folder.path("nginx.pid") + ";\nerror_log " + folder.path("nginx.err") +
      ";\nworker_rlimit_nofile 20000;\nevents { worker_connections 19900; }\nstream {\n  server { "
      "listen " +
      bind + " backlog=4096; proxy_pass " + upstream + "; proxy_half_close on; }\n}\n";
  return {"nginx", "-c", folder.write("nginx.conf", text)};
}

// splice-auto of haproxy 2.6 does not splice such streams: only forced splicing does.
const std::vector<Rival>& rivals() {
  static const std::vector<Rival> all{
      {"haproxy, splicing", "haproxy",
       [](auto& folder, auto& bind, auto& upstream, auto& settings) {
         return haproxy(folder, bind, upstream, settings,
                        "  option splice-request\n  option splice-response\n");
       }},
      {"haproxy", "haproxy",
       [](auto& folder, auto& bind, auto& upstream, auto& settings) {
         return haproxy(folder, bind, upstream, settings, "");
       }},
      {"nginx", "nginx", nginx}};
  return all;
}

// Without a connection, which the origin would see.
bool listens(const std::string& address) {
  std::ifstream table{"/proc/thread-self/net/tcp"};
  char port[8];
  std::snprintf(port, sizeof port, ":%04X", std::stoi(port_of(address)));
  for (std::string line; std::getline(table, line);)
    if (line.find(std::string{port} + " 00000000:0000 0A") != line.npos) return true;
  return false;
}

std::string run_one(const Rival& rival, const Script& script, const RivalSettings& settings) {
  TemporaryFolder folder;
  Origin origin{free_address(), settings.origin};
  const std::string bind = settings.host + port_of(free_address());
  Program program{rival.command(folder, bind, origin.address(), settings),
                  {.descriptors_max = settings.descriptors_max}};
  wait_until(rival.name + " listens; stderr: " + program.errors(), [&] { return listens(bind); });
  Subject subject{bind, program};
  return script(subject, origin);
}

}  // namespace

double Subject::idle_ticks(Milliseconds duration) const {
  const double before = program.cpu_seconds();
  holds_for(duration, "the proxy runs", [this] { return program.running(); });
  return (program.cpu_seconds() - before) * static_cast<double>(::sysconf(_SC_CLK_TCK));
}

void run_rivals(Scenario& scenario, const Script& script, const RivalSettings& settings) {
  for (const Rival& rival : rivals()) {
    if (!has_program(rival.program)) continue;
    try {
      scenario.rival_saw(rival.name, run_one(rival, script, settings));
    } catch (const Failure& failure) {
      scenario.rival_saw(rival.name, std::string{"could not be put through it: "} + failure.what());
    }
  }
}

}  // namespace penstock::e2e
