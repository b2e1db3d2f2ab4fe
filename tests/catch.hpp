#pragma once
// Catch2, of which Debian 12 has release 2 and later ones release 3: one header, and the names of
// its first release in both.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
