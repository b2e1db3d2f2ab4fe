#include "base/version.hpp"

namespace penstock::control {

std::string_view version() noexcept {
  return PENSTOCK_VERSION;
}

}  // namespace penstock::control
