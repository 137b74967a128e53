// Any bytes as a datagram of rtnetlink: decoded, and put into the tables as the reflector does.
// The tables never lose or invent anything, and an address that came in can be asked for.
#include "core/assertion.hpp"
#include "netlink_reflector/core/codec.hpp"

#include <cstdint>
#include <span>
#include <vector>

using namespace holdfast;
using namespace holdfast::netlink;

namespace {

struct Tables {
  LinkTable links;
  AddressTable addresses;

  void operator()(const Unknown&) {}
  void operator()(const Answer& answer) {
    HOLDFAST_ASSERT(answer.system_errno >= 0 && answer.system_errno < 4096, "an errno");
  }
  void operator()(const DumpDone& done) {
    HOLDFAST_ASSERT(done.system_errno >= 0 && done.system_errno < 4096, "an errno");
  }
  void operator()(const LinkReport& report) {
    const auto index = report.link.index;
    if (report.gone) {
      links.remove(index);
      static_cast<void>(addresses.remove_interface(index));
      HOLDFAST_ASSERT(links.find(index) == nullptr, "removed");
      HOLDFAST_ASSERT(addresses.on(index).empty(), "with its addresses");
      return;
    }
    links.upsert(report.link);
    HOLDFAST_ASSERT(links.find(index) != nullptr, "kept");
    HOLDFAST_ASSERT(*links.find(index) == report.link, "as it was reported");
    HOLDFAST_ASSERT(links.find(report.link.name) == links.find(index), "also by name");
  }
  void operator()(const AddressReport& report) {
    const auto key = report.address.key();
    if (report.gone) {
      addresses.remove(key);
      HOLDFAST_ASSERT(addresses.find(key) == nullptr, "removed");
      return;
    }
    addresses.upsert(report.address);
    HOLDFAST_ASSERT(addresses.find(key) != nullptr, "kept");
    HOLDFAST_ASSERT(*addresses.find(key) == report.address, "as it was reported");
    ask_for(report.address);
  }

  // What the kernel has told can be asked for, and is told alike again.
  void operator()(const RoutingReport& report) {
    Bytes request;
    append_routing(RoutingChange::add, report.entry, Placing::alone, 7, request);
    std::vector<Message> again;
    HOLDFAST_ASSERT(
        decode_datagram(request, [&](const Message& message) { again.push_back(message); }),
        "our requests are well formed");
    HOLDFAST_ASSERT(again.size() == 1 && again[0].sequence == 7, "one request");
    const auto* told = std::get_if<RoutingReport>(&again[0].payload);
    HOLDFAST_ASSERT(told != nullptr && !told->gone && told->entry == report.entry, "alike");
  }

  // Removing needs only the key; what the kernel would read in the request is that key.
  static void ask_for(const Address& address) {
    for (const auto kind : {StepKind::add, StepKind::remove}) {
      Bytes request;
      append_step({kind, address}, 7, request);
      std::vector<Message> again;
      HOLDFAST_ASSERT(
          decode_datagram(request, [&](const Message& message) { again.push_back(message); }),
          "our requests are well formed");
      HOLDFAST_ASSERT(again.size() == 1 && again[0].sequence == 7, "one request");
      const auto* report = std::get_if<AddressReport>(&again[0].payload);
      HOLDFAST_ASSERT(report != nullptr && report->address.key() == address.key(), "of that key");
      HOLDFAST_ASSERT(report->gone == (kind == StepKind::remove), "to come or to go");
    }
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::uint8_t> datagram(data, data + size);
  Tables tables;
  decode_datagram(datagram, [&](const Message& message) { std::visit(tables, message.payload); });
  for (const auto& link : tables.links.all()) {
    const auto addresses = tables.addresses.on(link.index);
    for (const auto family : {core::Family::v4, core::Family::v6})
      static_cast<void>(choose_source(addresses, family, {}));
  }
  return 0;
}
