#pragma once
// What the fuzz targets share. A target is one function of libFuzzer,
// LLVMFuzzerTestOneInput(data, size), built by clang with the sanitizers (docs/TESTING.md).

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace penstock::fuzz {

// What must hold for every input, beyond "no crash".
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "the oracle says no: %s\n", what);
  std::abort();
}

inline std::string_view text_of(const unsigned char* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace penstock::fuzz
