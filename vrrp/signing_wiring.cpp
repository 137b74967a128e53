#include "vrrp/signing_wiring.hpp"

#include <algorithm>

namespace holdfast::vrrp {
namespace {

/// keepalived: time_window is the larger of this and three intervals.
constexpr Duration kShortestSigningWindow = std::chrono::seconds(5);

}  // namespace

SigningKeys read_signing_keys(const config::Model& model, config::NotStarted& rest) {
  SigningKeys keys;
  for (const config::VrrpInstance& written : model.instances) {
    if (!written.auth_hmac || rest.contains(written.name)) continue;
    if (auto read = config::bytes_of(*written.auth_hmac)) {
      keys.emplace(written.name, std::move(*read));
    } else {
      rest.emplace(written.name, read.error().message);
    }
  }
  config::let_groups_rest(model, rest);
  return keys;
}

Signing signing_of(const config::AuthHmac& written, Duration interval,
                   const std::vector<config::KeyBytes>& keys) {
  using Written = config::AuthHmac;
  Signing signing;
  for (const config::KeyBytes& key : keys) signing.keys.push_back({key.id, key.bytes});
  signing.active_key = config::active_key_of(written);
  signing.window = written.time_window;
  if (signing.window == Duration::zero())
    signing.window = std::max<Duration>(kShortestSigningWindow, 3 * interval);
  if (written.anti_replay == Written::AntiReplay::monotonic)
    signing.anti_replay = AntiReplay::monotonic;
  if (written.mode == Written::Mode::permissive) signing.mode = SigningMode::permissive;
  if (written.mode == Written::Mode::receive_only) signing.mode = SigningMode::receive_only;
  return signing;
}

}  // namespace holdfast::vrrp
