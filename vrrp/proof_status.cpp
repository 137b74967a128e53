#include "vrrp/proof_status.hpp"

#include "runtime/milliseconds.hpp"

namespace holdfast::vrrp {
namespace {

namespace json = boost::json;
using runtime::milliseconds;

const char* word_of(SigningMode mode) {
  switch (mode) {
    case SigningMode::enforce:
      return "enforce";
    case SigningMode::permissive:
      return "permissive";
    case SigningMode::receive_only:
      break;
  }
  return "receive-only";
}

json::object signing_of(const Instance& instance, core::Instant now) {
  const Signing& signing = *instance.settings().signing;
  json::array partners;
  const auto& proofs = instance.proofs();
  const core::Duration utc = instance.proof_context(now).utc;
  for (const SignedPeer& each : proofs ? proofs->peers : std::vector<SignedPeer>{}) {
    // Its last advert is some time old: a later one tells how far the clocks are apart.
    partners.push_back(json::object{{"partner", each.peer.to_string()},
                                    {"key", each.key},
                                    {"signed_s_ago", -seconds_ahead(each.stamp, utc)}});
  }
  return {{"method", "hmac"},
          {"mode", word_of(signing.mode)},
          {"active_key", signing.active_key},
          {"anti_replay", signing.anti_replay == AntiReplay::time ? "time" : "monotonic"},
          {"time_window_ms", milliseconds(signing.window)},
          {"partners", std::move(partners)}};
}

}  // namespace

json::value authentication_of(const Instance& instance, core::Instant now) {
  const InstanceSettings& settings = instance.settings();
  if (settings.signing) return signing_of(instance, now);
  switch (settings.authentication.type) {
    case AuthenticationType::header:
      return json::object{
          {"method", "ah"},
          {"sequence", instance.proofs() ? instance.proofs()->ah_sequence : std::uint32_t{0}}};
    case AuthenticationType::simple_password:
      return json::object{{"method", "password"}};
    case AuthenticationType::none:
      break;
  }
  return nullptr;
}

}  // namespace holdfast::vrrp
