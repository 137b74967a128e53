// A network namespace with an empty IPVS table for one test case, and ipvsadm beside our client.
#pragma once

#include "ipvs_wrapper/client.hpp"

#include <string>

namespace holdfast::ipvs::test {

/// Moves the process into a new network namespace; the one before it ends with its table.
class FreshKernel {
 public:
  FreshKernel();
  Client client;

  /// The table as the client reads it; fails the test when it cannot.
  [[nodiscard]] Table table();
};

/// Runs a shell command; output and errors together, then "exit N" on its own line when N is not 0.
[[nodiscard]] std::string shell(const std::string& command, const std::string& input = "");

/// The table of a text; fails the test on a mistake in it.
[[nodiscard]] Table table_of(std::string_view text);

}  // namespace holdfast::ipvs::test
