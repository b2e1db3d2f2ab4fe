#pragma once
// The owner of a descriptor. Who only looks at one holds the plain integer.
//
// Thread   an Fd belongs to the thread that holds it; moving it hands it over.

#include <utility>

namespace penstock::os {

// Closes; never fails towards the caller: after close() the number is free whatever it returned.
void close_descriptor(int descriptor) noexcept;

// For descriptors that a library made: no program that penstock may start one day inherits it.
void close_on_exec(int descriptor) noexcept;

class Fd {
 public:
  Fd() noexcept = default;
  // Adopts: from here on this object closes it.
  explicit Fd(int descriptor) noexcept : descriptor_{descriptor} {}
  Fd(Fd&& other) noexcept : descriptor_{other.release()} {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  ~Fd() { reset(); }

  int get() const noexcept { return descriptor_; }
  explicit operator bool() const noexcept { return descriptor_ >= 0; }
  int release() noexcept { return std::exchange(descriptor_, -1); }
  void reset(int descriptor = -1) noexcept {
    const int old = std::exchange(descriptor_, descriptor);
    if (old >= 0) close_descriptor(old);
  }

 private:
  int descriptor_ = -1;
};

}  // namespace penstock::os
