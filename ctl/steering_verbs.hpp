// The verbs that change something on this host or in a running daemon: their arguments and calls.
#pragma once

#include "ctl/orders.hpp"
#include "ctl/real_server.hpp"

#include <CLI/CLI.hpp>

#include <optional>
#include <string>

namespace holdfast::ctl {

struct RealServerVerbs {
  RealServerRequest request;
  CLI::App* up = nullptr;
  CLI::App* down = nullptr;
};

[[nodiscard]] CLI::App& add_real_server(CLI::App& app, RealServerVerbs& verbs, bool& json);
[[nodiscard]] int run_real_server(const Target& target, RealServerVerbs& verbs, Format format);

/// drain, undrain, weight, resign, priority and check-now.
void add_orders(CLI::App& app, OrderRequest& request, bool& json, std::string& server);
/// nullopt: none of these verbs.
[[nodiscard]] std::optional<int> run_orders(const CLI::App& app, const Target& target,
                                            OrderRequest& request, bool json,
                                            const std::string& server);

}  // namespace holdfast::ctl
