#pragma once
// The completion token of every wait in a coroutine: `co_await` gives the error as a value beside
// the result and throws nothing.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace penstock::upstream {

inline constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace penstock::upstream
