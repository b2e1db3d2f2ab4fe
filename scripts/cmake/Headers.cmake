# Every header compiles alone: one source per header that includes nothing else. clang is the
# faster of the two at that.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/proxy
  ${PROJECT_SOURCE_DIR}/proxy/*.hpp)
set(header_sources)
foreach(header ${headers})
  string(REPLACE "/" "__" name ${header})
  set(source ${CMAKE_CURRENT_BINARY_DIR}/headers/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n" @ONLY)
  list(APPEND header_sources ${source})
endforeach()
if(header_sources)
  add_library(tidy_headers OBJECT ${header_sources})
  target_include_directories(tidy_headers PRIVATE ${PROJECT_SOURCE_DIR}/proxy)
  target_link_libraries(tidy_headers PRIVATE penstock_warnings Boost::headers
    PkgConfig::yaml Boost::json OpenSSL::SSL)
endif()
