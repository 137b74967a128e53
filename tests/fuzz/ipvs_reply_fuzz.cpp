// Any bytes as the kernel's answer about IPVS. What decodes can be sent back, and then means the
// same. First byte: bit 0 is the family of the service that was asked about.
#include "core/assertion.hpp"
#include "ipvs_wrapper/codec.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

using namespace holdfast;
using namespace holdfast::ipvs;

namespace {

constexpr std::uint16_t kFamily = 0x1b;
constexpr RequestHeader kHeader{kFamily, 1};

std::vector<Reply> decode_own(std::span<const std::uint8_t> bytes, core::Family family) {
  auto replies = decode_replies(bytes, kFamily, family);
  HOLDFAST_ASSERT(replies.has_value(), "what we encode is well formed");
  return *std::move(replies);
}

struct SendBack {
  core::Family family;

  void operator()(const Outcome& outcome) const {
    HOLDFAST_ASSERT(outcome.system_errno >= 0 && outcome.system_errno < 4096, "an errno");
  }
  void operator()(const InfoReply&) const {}
  void operator()(const ServiceReply& reply) const {
    std::vector<std::uint8_t> request;
    append_step(request, kHeader, Answer::always, AddService{reply.key, reply.settings});
    const auto again = decode_own(request, family);
    HOLDFAST_ASSERT(again.size() == 1, "one message");
    const auto* service = std::get_if<ServiceReply>(&again[0].body);
    HOLDFAST_ASSERT(service != nullptr && service->key == reply.key, "the same service");
    HOLDFAST_ASSERT(service->settings == reply.settings, "with the same settings");
  }
  void operator()(const ServerReply& reply) const {
    const ServiceKey key = MarkKey{1, family};
    std::vector<std::uint8_t> request;
    append_step(request, kHeader, Answer::always, AddServer{key, reply.endpoint, reply.server});
    const auto again = decode_own(request, family);
    HOLDFAST_ASSERT(!again.empty(), "the server is in it");
    // A request names the service as well; the decoder takes the server out of it.
    const auto* server = std::get_if<ServerReply>(&again.back().body);
    HOLDFAST_ASSERT(server != nullptr && server->endpoint == reply.endpoint, "the same server");
    HOLDFAST_ASSERT(server->server == reply.server, "with the same values");
  }
  void operator()(const SyncReply& reply) const {
    std::vector<std::uint8_t> request;
    append_sync_command(request, kHeader, StartSync{reply.role, reply.daemon});
    const auto again = decode_own(request, family);
    HOLDFAST_ASSERT(again.size() == 1, "one message");
    const auto* daemon = std::get_if<SyncReply>(&again[0].body);
    HOLDFAST_ASSERT(daemon != nullptr && daemon->role == reply.role, "the same role");
    HOLDFAST_ASSERT(daemon->daemon == reply.daemon, "with the same settings");
  }
  void operator()(const Timeouts& timeouts) const {
    std::vector<std::uint8_t> request;
    append_sync_command(request, kHeader, SetTimeouts{timeouts});
    const auto again = decode_own(request, family);
    HOLDFAST_ASSERT(again.size() == 1, "one message");
    HOLDFAST_ASSERT(std::get<Timeouts>(again[0].body) == timeouts, "the same timeouts");
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto family = (data[0] & 1) == 0 ? core::Family::v4 : core::Family::v6;
  // A copy that is aligned as the contract says and ends where the bytes end.
  const std::vector<std::uint8_t> datagram(data + 1, data + size);
  const auto replies = decode_replies(datagram, kFamily, family);
  if (!replies) return 0;
  for (const auto& reply : *replies) std::visit(SendBack{family}, reply.body);
  return 0;
}
