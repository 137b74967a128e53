// Values that can fail. An Error is a sentence for the operator: what was tried, on what, what the
// system said.
#pragma once

#include <boost/system/result.hpp>
#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace holdfast::core {

/// Why something failed. `message` is complete by itself; `system_errno` is 0 unless the kernel
/// said no.
struct Error {
  std::string message;
  int system_errno = 0;

  /// No failure: what Result::error() gives of a success.
  Error() = default;
  /// Two arguments always: if a string alone made an Error, `return text;` in a function that
  /// returns Result<std::string> could mean either. fail() writes the ordinary case.
  Error(std::string sentence, int error) : message(std::move(sentence)), system_errno(error) {}

  bool operator==(const Error&) const = default;
};

/// Only reached when value() is called without a check, which is a bug of the caller.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location&) {
  throw std::runtime_error(error.message);
}

template <class T>
using Result = boost::system::result<T, Error>;

/// An Error whose sentence is formatted like fmt::format.
template <class... Args>
[[nodiscard]] Error fail(fmt::format_string<Args...> text, Args&&... args) {
  return Error{fmt::format(text, std::forward<Args>(args)...), 0};
}

/// An Error that ends with what the system said about `system_errno`, e.g. "cannot bind …: Address
/// already in use".
template <class... Args>
[[nodiscard]] Error fail_errno(int system_errno, fmt::format_string<Args...> text, Args&&... args) {
  return Error{fmt::format("{}: {}", fmt::format(text, std::forward<Args>(args)...),
                           std::generic_category().message(system_errno)),
               system_errno};
}

}  // namespace holdfast::core
