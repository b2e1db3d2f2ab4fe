#include "e2e/faults/kernel_counter.hpp"

#include <fstream>
#include <sstream>

#include "e2e/waiting.hpp"

namespace penstock::e2e {

// Pairs of lines: "Tcp: NAME NAME ..." and "Tcp: VALUE VALUE ...".
std::uint64_t kernel_counter(const std::string& name) {
  for (const char* path : {"/proc/thread-self/net/snmp", "/proc/thread-self/net/netstat"}) {
    std::ifstream file{path};
    for (std::string names, values; std::getline(file, names) && std::getline(file, values);) {
      std::istringstream keys{names};
      std::istringstream figures{values};
      std::string group, key, figure;
      keys >> group;
      figures >> figure;
      group.pop_back();  // the colon
      while (keys >> key && figures >> figure)
        if (group + key == name) return std::stoull(figure);
    }
  }
  throw Failure{"the kernel has no counter " + name};
}

}  // namespace penstock::e2e
