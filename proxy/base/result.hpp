#pragma once
// What may fail is a value. `Result<T>` holds a T or an errno: what the world may do.
// `SentenceOr<T>` holds a T or why there is none, for the person who reads it.

#include <boost/assert/source_location.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace penstock::base {

using ErrorCode = boost::system::error_code;

template <class T>
using Result = boost::system::result<T>;

inline ErrorCode error_from(int error_number) noexcept {
  return {error_number, boost::system::system_category()};
}

// What happened, where, and what to do. A type of ours, so that Boost finds below what to throw
// where somebody takes the value that is not there: from 1.85 on it must find something.
struct Sentence : std::string {
  using std::string::string;
  Sentence(std::string text) noexcept : std::string{std::move(text)} {}
};

template <class T>
using SentenceOr = boost::system::result<T, Sentence>;

[[noreturn]] inline void throw_exception_from_error(const Sentence& sentence,
                                                    const boost::source_location& /*caller*/) {
  throw std::runtime_error{sentence};
}

}  // namespace penstock::base
