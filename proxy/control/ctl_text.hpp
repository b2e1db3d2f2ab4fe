#pragma once
// The admin's JSON as text for people: aligned columns, one fact a line. Pure.
//
// Throws boost::system::system_error or std::exception where the JSON is not as expected, for an
// answer of a program that is not penstock.

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

namespace penstock::control {

std::string status_text(const boost::json::value& status);
std::string listeners_text(const boost::json::value& listeners);
std::string upstreams_text(const boost::json::value& upstreams);

// Columns as wide as their widest cell, two spaces between; numbers to the right. The first row is
// the heading.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

// 93784 seconds: "1 d 2 h".
std::string uptime_text(double seconds);

}  // namespace penstock::control
