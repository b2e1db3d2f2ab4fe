#pragma once
// The completion token of every wait in a coroutine: `co_await` gives the error as a value beside
// the result. A constant; it belongs to no thread.
//
// Errors   those of the operation that waits; nothing is thrown.
// Source   Boost.Asio: as_tuple, use_awaitable.

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace penstock::io {

inline constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace penstock::io
