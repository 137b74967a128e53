#include "runtime/handover_page.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::runtime;
using namespace std::chrono_literals;

namespace {

VrrpRecord master_since(core::Duration since) {
  return {core::Instant(since), core::Instant(since + 5s), 3s, 51, VrrpRecord::State::master, 150};
}

using VrrpPage = HandoverPage<VrrpRecord>;

VrrpPage open_again(const UniqueFd& fd) {
  return VrrpPage::open(fd.duplicate()).value();
}

}  // namespace

TEST_CASE("handover page: the successor reads what the predecessor stored") {
  const UniqueFd fd = *create_handover_page(HandoverKind::vrrp);
  const auto key = handover_key("VI_1 eth0 51 ipv4");
  {
    VrrpPage page = open_again(fd);
    CHECK(page.load(key) == std::nullopt);
    CHECK(page.store(key, master_since(1h)));
    CHECK(page.store(key, master_since(2h)));
    CHECK(page.store(handover_key("VI_2"), master_since(3h)));
  }
  VrrpPage page = open_again(fd);
  CHECK(page.load(key) == master_since(2h));
  CHECK(page.keys().size() == 2);
}

TEST_CASE("handover page: an erased record is gone for the successor and its slot is used again") {
  const UniqueFd fd = *create_handover_page(HandoverKind::vrrp);
  {
    VrrpPage page = open_again(fd);
    for (std::uint64_t round = 1; round <= 2 * kHandoverCapacity; ++round) {
      REQUIRE(page.store(round, master_since(1h)));
      page.erase(round);
    }
    CHECK(page.store(7, master_since(4h)));
  }
  VrrpPage page = open_again(fd);
  CHECK(page.keys() == std::vector<std::uint64_t>{7});
  CHECK(page.load(7) == master_since(4h));
}

TEST_CASE("handover page: a full page says so") {
  const UniqueFd fd = *create_handover_page(HandoverKind::checkers);
  auto page = HandoverPage<CheckRecord>::open(fd.duplicate()).value();
  for (std::uint64_t key = 1; key <= kHandoverCapacity; ++key) REQUIRE(page.store(key, {}));
  CHECK_FALSE(page.store(kHandoverCapacity + 1, {}));
  CHECK(page.store(1, {core::Instant(1h), 2, CheckRecord::Verdict::down}));
}

TEST_CASE("handover page: a page of another kind is emptied, another size is refused") {
  const UniqueFd fd = *create_handover_page(HandoverKind::vrrp);
  CHECK(open_again(fd).store(1, master_since(1h)));
  auto as_checkers = HandoverPage<CheckRecord>::open(fd.duplicate()).value();
  CHECK(as_checkers.keys().empty());
  UniqueFd empty(::memfd_create("empty", MFD_CLOEXEC));
  CHECK_FALSE(VrrpPage::open(std::move(empty)).has_value());
}

TEST_CASE(
    "handover page: the watchdog sees when the first peer may take over, while it is written") {
  const UniqueFd fd = *create_handover_page(HandoverKind::vrrp);
  const VrrpPage watching = open_again(fd);
  VrrpPage page = open_again(fd);
  CHECK(mastership_ends(watching, {}) == std::nullopt);

  page.store(1, master_since(2h));
  page.store(2, master_since(1h));
  VrrpRecord backup = master_since(30min);
  backup.state = VrrpRecord::State::other;
  page.store(3, backup);

  CHECK(mastership_ends(watching, {}) == core::Instant(1h + 5s + 3s));
  page.store(2, master_since(3h));
  CHECK(mastership_ends(watching, {}) == core::Instant(2h + 5s + 3s));
  page.erase(1);
  CHECK(mastership_ends(watching, {}) == core::Instant(3h + 5s + 3s));

  // A master whose adverts do not leave: its peers may take over at once.
  VrrpRecord mute = master_since(1h);
  mute.last_advert_sent_at = {};
  page.store(5, mute);
  CHECK(mastership_ends(watching, {}) == core::Instant(3s));
  // As long as its process served, nobody has: the others' end counts, also when that passes.
  CHECK(mastership_ends(watching, core::Instant(2h)) == core::Instant(3h + 5s + 3s));
  CHECK(mastership_ends(watching, core::Instant(4h)) == core::Instant(3s));
  page.erase(5);

  VrrpRecord leaver = master_since(2h);
  leaver.state = VrrpRecord::State::handing_over;
  page.store(4, leaver);
  CHECK(mastership_ends(watching, {}) == core::Instant(2h + 5s + 3s));
}

TEST_CASE("handover page: what was declared void is void for a page that is open already, too") {
  const UniqueFd fd = *create_handover_page(HandoverKind::vrrp);
  VrrpPage watching = open_again(fd);
  VrrpPage page = open_again(fd);
  page.store(1, master_since(1h));
  VrrpPage successor = open_again(fd);

  watching.make_void(core::Instant(1h + 5s));

  CHECK(successor.load(1) == std::nullopt);
  CHECK(mastership_ends(watching, {}) == std::nullopt);
  CHECK(successor.keys() == std::vector<std::uint64_t>{1});  // its slot can be cleared away
  successor.store(1, master_since(1h + 1s));
  CHECK(successor.load(1) == master_since(1h + 1s));
  CHECK(mastership_ends(watching, {}) == core::Instant(1h + 9s));
}

TEST_CASE("handover page: kill -9 at any moment leaves a whole record, never a mixture") {
  const UniqueFd fd = *create_handover_page(HandoverKind::vrrp);
  for (int round = 0; round < 30; ++round) {
    const pid_t writer = ::fork();
    REQUIRE(writer >= 0);
    if (writer == 0) {
      VrrpPage page = open_again(fd);
      for (std::int64_t n = 1;; ++n) {
        const core::Instant same{core::Duration(n)};
        page.store(1, {same, same, 3s, static_cast<std::uint8_t>(n), VrrpRecord::State::master,
                       static_cast<std::uint8_t>(n)});
      }
    }
    // A busy machine may start the writer late; the page keeps its record over the rounds.
    for (int wait = 0; wait < 5000 && !open_again(fd).load(1); ++wait) ::usleep(1000);
    ::usleep(static_cast<useconds_t>(500 + 37 * round));
    ::kill(writer, SIGKILL);
    ::waitpid(writer, nullptr, 0);

    const auto record = open_again(fd).load(1);
    REQUIRE(record.has_value());
    CHECK(record->since == record->last_advert_sent_at);
    CHECK(record->vrid == record->priority);
    CHECK(record->vrid == static_cast<std::uint8_t>(record->since.time_since_epoch().count()));
  }
}
