#pragma once
// The budget's JSON as text for people. Pure.
//
// Throws where the JSON is not that of budget/report.hpp: what answered is not penstock.

#include <boost/json/fwd.hpp>
#include <string>

namespace penstock::report {

std::string budget_text(const boost::json::value& budget);

}  // namespace penstock::report
