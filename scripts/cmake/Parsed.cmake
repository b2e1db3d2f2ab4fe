# What nearly every file parses, parsed once: the standard library's usual headers and results. Of
# larger ones, as those of Asio, loading costs more than parsing them where they are needed. A file
# still includes what it uses: each header compiles alone without this (see Headers.cmake).

# penstock_parsed_headers(NAME HEADER...): an object library that holds the headers.
function(penstock_parsed_headers name)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "// Only its precompiled header counts.\n" @ONLY)
  add_library(${name} OBJECT ${source})
  target_link_libraries(${name} PRIVATE penstock_flags Boost::headers)
  if(PENSTOCK_PCH)
    target_precompile_headers(${name} PRIVATE
      <algorithm> <array> <atomic> <charconv> <chrono> <cstdint> <cstring> <deque> <functional>
      <map> <memory> <memory_resource> <optional> <set> <span> <string> <string_view> <thread>
      <utility> <variant> <vector> <boost/system/result.hpp> ${ARGN})
  endif()
endfunction()

# penstock_parse_once(TARGET NAME): the target's files begin with those headers.
function(penstock_parse_once target name)
  if(PENSTOCK_PCH)
    target_precompile_headers(${target} REUSE_FROM ${name})
  endif()
endfunction()

penstock_parsed_headers(penstock_parsed)
