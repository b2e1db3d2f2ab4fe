# Two interface targets: warnings and definitions, which hold for whatever is compiled; and with
# them hardening or a sanitizer.
add_library(penstock_warnings INTERFACE)
target_compile_options(penstock_warnings INTERFACE -Wall -Wextra -Wformat=2 -Werror=format-security
  $<$<BOOL:${PENSTOCK_WERROR}>:-Werror>)
# GCC 12 finds overruns in libstdc++'s own std::string where operator+ is inlined (its bugs 105329
# and 105651). The sanitizer runs look for real ones.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(penstock_warnings INTERFACE -Wno-array-bounds -Wno-restrict)
endif()
target_compile_definitions(penstock_warnings INTERFACE _GLIBCXX_ASSERTIONS
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE)
add_library(penstock_flags INTERFACE)
target_link_libraries(penstock_flags INTERFACE penstock_warnings)

if(PENSTOCK_SANITIZE STREQUAL "address")
  # Without vptr: that check opens a pipe to look at memory, and cries wolf where descriptors have
  # run out, which the tests bring about on purpose.
  set(sanitize -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  # Ready for fuzz targets. Without function: clang 14 cannot assemble that check's mark of a split
  # coroutine.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    list(APPEND sanitize -fsanitize=fuzzer-no-link -fno-sanitize=function)
  endif()
elseif(PENSTOCK_SANITIZE STREQUAL "thread")
  set(sanitize -fsanitize=thread -fno-omit-frame-pointer)
elseif(PENSTOCK_SANITIZE)
  message(FATAL_ERROR "PENSTOCK_SANITIZE is empty, address or thread; not '${PENSTOCK_SANITIZE}'")
endif()

if(sanitize)
  target_compile_options(penstock_flags INTERFACE ${sanitize} -g1)
  target_link_options(penstock_flags INTERFACE ${sanitize})
  target_compile_definitions(penstock_flags INTERFACE PENSTOCK_SANITIZED)
  # With a sanitizer GCC 12 takes the frame of a coroutine for memory of another allocator.
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(penstock_flags INTERFACE -Wno-mismatched-new-delete)
  endif()
  # GCC's -fsanitize=thread does not know atomic_thread_fence and says so in Boost's headers.
  if(PENSTOCK_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(penstock_flags INTERFACE -Wno-tsan)
  endif()
else()
  # The OpenSSF list, as far as GCC 12 and clang 14 know it. Assertions stay on: no NDEBUG.
  target_compile_options(penstock_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
    -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fno-strict-overflow)
  # clang has it from version 16 on without a further option.
  include(CheckCXXCompilerFlag)
  check_cxx_compiler_flag(-ftrivial-auto-var-init=zero can_zero_variables)
  if(can_zero_variables)
    target_compile_options(penstock_flags INTERFACE -ftrivial-auto-var-init=zero)
  endif()
  target_link_options(penstock_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code)
  # A bit for each pointer that the loader moves, not 24 bytes: 626 KB of the program.
  target_link_options(penstock_flags INTERFACE -Wl,-z,pack-relative-relocs)
endif()
# What ccache needs to understand precompiled headers.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(penstock_flags INTERFACE -fpch-preprocess)
else()
  target_compile_options(penstock_flags INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
endif()
# One form of code for archives and programs, so that they can share a precompiled header.
target_compile_options(penstock_flags INTERFACE -fPIE)
target_link_options(penstock_flags INTERFACE $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
if(PENSTOCK_LTO)
  include(CheckIPOSupported)
  check_ipo_supported(LANGUAGES CXX)
endif()
# CMake's own Release adds -DNDEBUG; ours keeps the assertions.
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
