#pragma once
// An eventfd by which one thread ends another's sleep, for threads that wait with Asio.
//
// Thread   notify() by anyone; descriptor() is waited for, and clear() called, by the owner.

#include "base/result.hpp"
#include "os/fd.hpp"

namespace penstock::os {

class Wakeup {
 public:
  Wakeup();  // throws boost::system::system_error where no descriptor is left (start-up only)
  void notify() noexcept;
  void clear() noexcept;
  int descriptor() const noexcept { return event_.get(); }

 private:
  Fd event_;
};

}  // namespace penstock::os
