#pragma once
// The admin's JSON as text for people: aligned columns, one fact a line. Pure.
//
// Throws boost::system::system_error or std::exception where the JSON is not as expected, for an
// answer of a program that is not penstock.

#include <boost/json/fwd.hpp>
#include <string>

namespace penstock::cli {

std::string status_text(const boost::json::value& status);
std::string listeners_text(const boost::json::value& listeners);
std::string upstreams_text(const boost::json::value& upstreams);

// 93784 seconds: "1 d 2 h".
std::string uptime_text(double seconds);

}  // namespace penstock::cli
