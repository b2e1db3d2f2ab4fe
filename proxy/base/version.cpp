#include "base/version.hpp"

namespace penstock::base {

std::string_view version() noexcept {
  return PENSTOCK_VERSION;
}

}  // namespace penstock::base
