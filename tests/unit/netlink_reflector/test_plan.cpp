#include "core/rng.hpp"
#include "netlink_reflector/core/desired.hpp"
#include "netlink_reflector/core/plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace holdfast;
using namespace holdfast::netlink;

namespace {

const Link kEth0{.index = 2, .name = "eth0", .up = true, .running = true};

Address address(std::string_view prefix, std::string_view label = "eth0",
                std::uint32_t flags = kFlagPermanent) {
  Address result;
  result.interface = kEth0.index;
  result.prefix = *core::IpPrefix::parse(prefix);
  result.label = label;
  result.flags = flags;
  return result;
}

Address secondary(std::string_view prefix) {
  return address(prefix, "eth0", kFlagPermanent | kFlagSecondary);
}

std::vector<std::string> in_words(const std::vector<Step>& steps) {
  std::vector<std::string> words;
  for (const Step& step : steps) {
    const char* verb = step.kind == StepKind::add      ? "add "
                       : step.kind == StepKind::remove ? "remove "
                                                       : "restore ";
    words.push_back(verb + step.address.prefix.to_string());
  }
  return words;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("plan: nothing to do when the wanted address is there") {
  const Address wanted = resolve({"eth0", *core::IpPrefix::parse("10.0.0.9"), "", {}, 0}, kEth0);
  Address actual = wanted;
  actual.flags = kFlagPermanent;

  CHECK(plan({{wanted}, {}}, std::vector{actual}).empty());
  CHECK(plan({{wanted}, {wanted.key()}}, std::vector{actual}).empty());  // wanted beats unwanted
}

TEST_CASE("plan: another prefix length of a wanted address is somebody else's, and stays") {
  const std::vector<Address> actual{address("10.0.0.9/24")};

  const auto steps = plan({{address("10.0.0.9/32")}, {}}, actual);

  CHECK(in_words(steps) == Words{"add 10.0.0.9/32"});
}

TEST_CASE("plan: a new prefix length is added before the old one goes") {
  const std::vector<Address> actual{address("10.0.0.9/24")};

  const auto steps = plan({{address("10.0.0.9/32")}, {actual[0].key()}}, actual);

  CHECK(in_words(steps) == Words{"add 10.0.0.9/32", "remove 10.0.0.9/24"});
}

TEST_CASE("plan: another label means remove and add, back to back") {
  const std::vector<Address> actual{address("10.0.0.9/32")};

  const auto steps = plan({{address("10.0.0.9/32", "eth0:vip")}, {}}, actual);

  CHECK(in_words(steps) == Words{"remove 10.0.0.9/32", "add 10.0.0.9/32"});
  CHECK(steps[1].address.label == "eth0:vip");
}

TEST_CASE("plan: two owners with different attributes for one address: the first decides") {
  const Address first = address("10.0.0.9/32", "eth0:a");
  const Address second = address("10.0.0.9/32", "eth0:b");

  const auto steps = plan({{first, second}, {}}, {});

  REQUIRE(steps.size() == 1);
  CHECK(steps[0] == Step{StepKind::add, first});
  CHECK(plan({{first, second}, {}}, std::vector{first}).empty());
}

TEST_CASE("plan: secondaries of a removed primary are put back, our own and other people's") {
  const std::vector<Address> actual{address("10.0.0.9/24"), secondary("10.0.0.5/24"),
                                    secondary("10.0.0.6/24"), address("10.0.0.7/32")};

  const auto steps = plan({{address("10.0.0.5/24")}, {actual[0].key()}}, actual);

  CHECK(in_words(steps) ==
        Words{"remove 10.0.0.9/24", "restore 10.0.0.5/24", "restore 10.0.0.6/24"});
}

TEST_CASE("plan: secondaries go before their primary, so that none is promoted on its way out") {
  const std::vector<Address> actual{address("10.0.0.9/24"), secondary("10.0.0.8/24")};

  const auto steps = plan({{}, {actual[0].key(), actual[1].key()}}, actual);

  CHECK(in_words(steps) == Words{"remove 10.0.0.8/24", "remove 10.0.0.9/24"});
}

TEST_CASE("kernel model: a scope that differs inside one network is refused") {
  Address other = address("10.0.0.8/24");
  other.scope = core::kScopeLink;

  const Applied applied = apply(std::vector<Step>{{StepKind::add, other}},
                                std::vector{address("10.0.0.9/24")}, PromoteSecondaries::no);

  CHECK(applied.results == std::vector<int>{EINVAL});
}

// Random tables over two small networks, so that primaries, secondaries and changes of length meet.
namespace {

Address random_address(core::Rng& rng) {
  static constexpr std::array<std::uint8_t, 4> kLengths{32, 32, 24, 25};
  Address result = address("10.0.0.1");
  result.prefix = {core::IpAddress::v4({10, 0, static_cast<std::uint8_t>(rng.below(2u)),
                                        static_cast<std::uint8_t>(126 + rng.below(4u))}),
                   kLengths.at(rng.below(kLengths.size()))};
  if (rng.chance(30)) result.label = "eth0:x";
  if (rng.chance(20)) result.broadcast = *core::IpAddress::parse("10.0.1.255");
  if (rng.chance(10)) {
    result = Address{};
    result.interface = kEth0.index;
    result.prefix = *core::IpPrefix::parse(rng.chance(50) ? "2001:db8::1/64" : "2001:db8::2/128");
    if (rng.chance(50)) result.preferred_lifetime = 0;
  }
  return result;
}

std::vector<Address> random_kernel_table(core::Rng& rng, PromoteSecondaries promote) {
  std::vector<Step> steps;
  for (std::uint64_t count = rng.below(7u); count > 0; --count) {
    steps.push_back({StepKind::add, random_address(rng)});
  }
  return apply(steps, {}, promote).addresses;
}

const Address* find(const std::vector<Address>& addresses, const AddressKey& key) {
  const auto found = std::find_if(addresses.begin(), addresses.end(),
                                  [&](const Address& one) { return one.key() == key; });
  return found == addresses.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("plan applied to the kernel: wanted is there, unwanted is gone, others survive") {
  for (const PromoteSecondaries promote : {PromoteSecondaries::no, PromoteSecondaries::yes}) {
    for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
      CAPTURE(seed);
      core::Rng rng(seed);
      const std::vector<Address> actual = random_kernel_table(rng, promote);
      Wanted wanted;
      for (std::uint64_t count = rng.below(5u); count > 0; --count) {
        wanted.present.push_back(random_address(rng));
      }
      for (const Address& there : actual) {
        if (rng.chance(30)) wanted.absent.push_back(there.key());
      }

      const std::vector<Step> steps = plan(wanted, actual);
      const Applied applied = apply(steps, actual, promote);

      for (const int result : applied.results) REQUIRE(result == 0);
      std::set<AddressKey> decided;
      for (const Address& want : wanted.present) {
        if (!decided.insert(want.key()).second) continue;
        const Address* there = find(applied.addresses, want.key());
        REQUIRE(there != nullptr);
        REQUIRE(satisfies(*there, want));
      }
      for (const AddressKey& key : wanted.absent) {
        if (!decided.contains(key)) REQUIRE(find(applied.addresses, key) == nullptr);
      }
      const std::set<AddressKey> absent(wanted.absent.begin(), wanted.absent.end());
      for (const Address& other : actual) {
        if (absent.contains(other.key()) || decided.contains(other.key())) continue;
        const Address* there = find(applied.addresses, other.key());
        REQUIRE(there != nullptr);
        REQUIRE(satisfies(*there, other));
      }
      REQUIRE(plan(wanted, applied.addresses).empty());
    }
  }
}

TEST_CASE("explain: says what was tried, where, what the kernel said and what may help") {
  const Step step{StepKind::add, address("10.0.0.9/24")};

  CHECK(explain(step, "eth0", EPERM, "") ==
        "cannot add 10.0.0.9/24 on eth0: Operation not permitted; holdfast needs root or "
        "CAP_NET_ADMIN");
  CHECK(explain(step, "eth0", EINVAL, "ipv4: Invalid scope value") ==
        "cannot add 10.0.0.9/24 on eth0: Invalid argument (ipv4: Invalid scope value); an address "
        "of the same network with another scope may be on the interface");
}
