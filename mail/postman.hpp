// The role "mail" of the binary: carries one order to the relay and ends. A process of its own and
// short-lived, because it asks name services, which block, and reads what a stranger's server says:
// as nobody, without capabilities, behind the list of system calls, and without a program to start.
// Started by the process that runs scripts (scripts/mailer.hpp), with its order on standard input.
#pragma once

#include "mail/keys.hpp"
#include "mail/order.hpp"
#include <functional>
#include <string>

namespace holdfast::mail {

/// Called by watchdog/main.cpp. The exit code of the process.
[[nodiscard]] int run_postman();

/// The talk itself, which blocks: `on_decided` with the number of each parcel as soon as the relay
/// has decided about it. The answer is empty, or a sentence: why the talk ended early.
[[nodiscard]] std::string carry(const Order& order, const OpenedKeys& keys,
                                const std::function<void(const Report&)>& on_decided);

}  // namespace holdfast::mail
