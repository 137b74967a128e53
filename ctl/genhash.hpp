// keepalived's genhash: what a digest of HTTP_GET and SSL_GET has to be, asked of a server with the
// code of those checks. `holdfastctl genhash …`, and the program under the name genhash. Asks no
// process of ours.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace holdfast::ctl {

/// As the command line has it.
struct GenhashWords {
  std::string server;
  std::uint16_t port = 0;
  std::string path;
  std::string virtualhost;
  std::string protocol = "1.0";
  std::uint32_t mark = 0;
  std::uint32_t timeout = 5;  ///< seconds, for everything
  bool tls = false;
  bool sni = false;
  bool verbose = false;
};

/// genhash's options.
void add_genhash_words(CLI::App& verb, GenhashWords& words);
/// The exit code.
[[nodiscard]] int run_genhash(const GenhashWords& words);
/// When the program was called by that name. nullopt: it was not.
[[nodiscard]] std::optional<int> run_genhash_by_name(std::string_view program,
                                                     std::span<const std::string> words);

}  // namespace holdfast::ctl
