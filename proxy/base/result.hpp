#pragma once
// What the world may do is a value: `Result<T>` holds a T or an errno.

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

namespace penstock::base {

using ErrorCode = boost::system::error_code;

template <class T>
using Result = boost::system::result<T>;

inline ErrorCode error_from(int error_number) noexcept {
  return {error_number, boost::system::system_category()};
}

}  // namespace penstock::base
