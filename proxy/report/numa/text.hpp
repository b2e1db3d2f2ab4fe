#pragma once
// The report on the machine, see report/numa/report.hpp, as text for people. Pure.
//
// Throws boost::system::system_error or std::exception where the JSON is not as expected, for an
// answer of a program that is not penstock.

#include <boost/json/fwd.hpp>
#include <string>

namespace penstock::report {

std::string numa_text(const boost::json::value& numa);

}  // namespace penstock::report
