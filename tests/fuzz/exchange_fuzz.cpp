// Whatever comes in by datagram, or as DNS by TCP: no crash, a verdict names a result, and DNS by
// TCP judges alike in every cut. The first byte: 0 DNS, 1 UDP, 2 and 3 ICMP, else DNS by TCP in
// pieces of that size.
#include "checkers/core/dns.hpp"
#include "checkers/core/exchange.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

using namespace holdfast;
using namespace holdfast::checkers;

namespace {

const DnsProbe kQuestion{.type = 6, .name = "lab.example"};
constexpr std::uint16_t kId = 0x1234;

std::optional<Result> by_stream(std::string_view sent, std::size_t piece) {
  DnsDialogue talk(kQuestion, kId);
  if (!std::holds_alternative<Send>(talk.advance({}, false))) std::abort();
  while (!sent.empty()) {
    const std::string_view now = sent.substr(0, piece);
    sent.remove_prefix(now.size());
    const Step step = talk.advance(now, false);
    if (const auto* verdict = std::get_if<Verdict>(&step)) return verdict->outcome.result;
  }
  const Step step = talk.advance({}, true);
  if (!std::holds_alternative<Verdict>(step)) std::abort();
  return std::get<Verdict>(step).outcome.result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view sent(reinterpret_cast<const char*>(data + 1), size - 1);
  using Identifier = PingExchange::Identifier;
  switch (data[0]) {
    case 0: {
      DnsExchange exchange(kQuestion, kId);
      static_cast<void>(exchange.hear(sent));
      static_cast<void>(exchange.on_silence(core::Duration(1)));
      return 0;
    }
    case 1:
      static_cast<void>(UdpExchange({.reply_required = true, .pattern = "ABXD"}, "x").hear(sent));
      return 0;
    case 2:
    case 3: {
      const auto family = data[0] == 2 ? core::Family::v4 : core::Family::v6;
      static_cast<void>(PingExchange(family, Identifier::ours, kId, "token").hear(sent));
      return 0;
    }
    default:
      if (by_stream(sent, data[0]) != by_stream(sent, size)) std::abort();
      return 0;
  }
}
