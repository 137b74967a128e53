// The journal of our addresses as text.
#include "netlink_reflector/core/owned.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::core;
using namespace holdfast::netlink;

namespace {

OwnedAddress owned(InterfaceIndex index, std::string name, std::string_view prefix) {
  const IpPrefix parsed = *IpPrefix::parse(prefix);
  const std::uint8_t length = parsed.address.is_v4() ? parsed.length : std::uint8_t{0};
  return {index, parsed.address, length, std::move(name)};
}

constexpr std::string_view kScope = "boot-1 net-1";
const std::string kHeader = "holdfast-owned-addresses-1 boot-1 net-1\n";

std::string error_of(std::string_view text) {
  const auto parsed = parse_owned(text, kScope);
  return parsed ? "" : parsed.error().message;
}

}  // namespace

TEST_CASE("owned: what is written is read again, line by line and as a whole") {
  OwnedList list;
  std::string journal = kHeader;
  const auto add = [&](Ownership what, OwnedAddress address) {
    list.apply({what, address});
    journal += line_of({what, std::move(address)});
  };
  add(Ownership::began, owned(2, "eth0", "10.0.0.9/24"));
  add(Ownership::began, owned(2, "eth0", "10.0.0.9/32"));
  add(Ownership::began, owned(3, "eth0.100", "2001:db8::9/64"));
  add(Ownership::ended, owned(2, "eth0", "10.0.0.9/24"));
  add(Ownership::began, owned(2, "eth7", "10.0.0.9/32"));  // the interface has another name now

  CHECK(journal == kHeader +
                       "+ 2 eth0 10.0.0.9/24\n+ 2 eth0 10.0.0.9/32\n+ 3 eth0.100 2001:db8::9\n"
                       "- 2 eth0 10.0.0.9/24\n+ 2 eth7 10.0.0.9/32\n");
  const std::string shortest = kHeader + "+ 2 eth7 10.0.0.9/32\n+ 3 eth0.100 2001:db8::9\n";
  CHECK(write_owned(list, kScope) == shortest);
  REQUIRE(parse_owned(journal, kScope).has_value());
  CHECK(parse_owned(journal, kScope)->all() == list.all());
  CHECK(parse_owned(shortest, kScope)->all() == list.all());
}

TEST_CASE("owned: a journal of another boot or another network namespace says nothing") {
  const std::string text = kHeader + "+ 2 eth0 10.0.0.9/32\n";

  CHECK(parse_owned(text, "boot-2 net-1")->all().empty());
  CHECK(parse_owned(text, "boot-1 net-2")->all().empty());
  CHECK(parse_owned(text, kScope)->all().size() == 1);
}

TEST_CASE("owned: a line that was being written when the process died counts for nothing") {
  const std::string text = kHeader + "+ 2 eth0 10.0.0.9/32\n+ 2 eth0 10.0.0.1";

  CHECK(parse_owned(text, kScope)->all() ==
        std::set<OwnedAddress>{owned(2, "eth0", "10.0.0.9/32")});
}

TEST_CASE("owned: a file of another kind or a damaged line is named") {
  CHECK(error_of("") == "line 1 is not \"holdfast-owned-addresses-1 …\"");
  CHECK(error_of("something else\n") == "line 1 is not \"holdfast-owned-addresses-1 …\"");
  for (const std::string_view line :
       {"* 2 eth0 10.0.0.9/32", "+ 0 eth0 10.0.0.9/32", "+ two eth0 10.0.0.9/32",
        "+ 2  10.0.0.9/32", "+ 2 eth0 10.0.0.9/33", "+ 2 eth0", "+", "",
        "+ 99999999999 eth0 10.0.0.9/32"}) {
    CAPTURE(line);
    const std::string text = kHeader + "+ 2 eth0 10.0.0.1/24\n" + std::string(line) + "\n";
    CHECK(error_of(text) == "line 3 names no address: \"" + std::string(line) + "\"");
  }
}

TEST_CASE("owned: words that a later version writes behind an address are skipped") {
  const std::string text =
      kHeader + "+ 2 eth0 10.0.0.9/32 more\n+ 2 eth0 10.0.0.8/32 newer=5 static\n";
  OwnedAddress lasting = owned(2, "eth0", "10.0.0.8/32");
  lasting.lasting = true;

  CHECK(parse_owned(text, kScope)->all() ==
        std::set<OwnedAddress>{lasting, owned(2, "eth0", "10.0.0.9/32")});
  CHECK(error_of("holdfast-owned-addresses-2 boot-1 net-1\n+ 2 x\n") ==
        "line 1 is not \"holdfast-owned-addresses-1 …\"");
}
