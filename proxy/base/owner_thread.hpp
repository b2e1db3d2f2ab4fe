#pragma once
// Every live object belongs to one thread, says so, and checks it.

#include <thread>

#include "base/assert.hpp"

namespace penstock::base {

class OwnerThread {
 public:
  // From now on the calling thread is the owner.
  void adopt() noexcept { id_ = std::this_thread::get_id(); }
  void check() const noexcept { PENSTOCK_ASSERT(id_ == std::this_thread::get_id()); }

 private:
  std::thread::id id_ = std::this_thread::get_id();
};

}  // namespace penstock::base
