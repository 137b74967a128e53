// Whole files: the articles' configurations, the ones in etc/, and everything in the corpus.
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;
using namespace std::chrono_literals;

namespace {

const std::filesystem::path kRoot = HOLDFAST_SOURCE_DIR;
const std::filesystem::path kCorpus = kRoot / ".." / "shared" / "corpus";

bool skip_without(const std::filesystem::path& path) {
  if (std::filesystem::exists(path)) return false;
  fmt::print("skipped: {} is not here\n", path.string());
  return true;
}

// The two articles agree on everything but address, label and forwarding.
void check_article(const Model& model, std::uint8_t a, std::uint8_t b, std::uint8_t c,
                   ForwardingMethod forwarding) {
  REQUIRE(model.instances.size() == 1);
  const VrrpInstance& instance = model.instances[0];
  CHECK(instance.name == "VI_1");
  CHECK(instance.state == InitialState::master);
  CHECK(instance.interface == "eth0");
  CHECK(instance.virtual_router_id == 51);
  CHECK(instance.priority == 100);
  CHECK(instance.advert_int == 1s);
  CHECK(instance.authentication == Authentication{AuthType::pass, "1111"});
  REQUIRE(instance.virtual_addresses.size() == 1);
  CHECK(instance.virtual_addresses[0].prefix.address == core::IpAddress::v4({a, b, c, 200}));
  CHECK(model.globals.router_id == "LVS_DEVEL");
  CHECK(model.globals.notification_email == std::vector<std::string>{"test@localhost.com"});
  CHECK(model.globals.smtp_server == "127.0.0.1");

  REQUIRE(model.services.size() == 1);
  const VirtualServer& service = model.services[0];
  CHECK(name_of(service) == fmt::format("TCP {}.{}.{}.200:8099", a, b, c));
  CHECK(service.scheduler == "rr");
  CHECK(service.forwarding == forwarding);
  CHECK(service.persistence_timeout == 0s);
  REQUIRE(service.real_servers.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const RealServer& server = service.real_servers[i];
    CHECK(server.address == core::IpAddress::v4({192, 168, 1, static_cast<std::uint8_t>(67 + i)}));
    CHECK(server.port == 8099);
    REQUIRE(server.checks.size() == 1);
    const ConnectOptions& connect = std::get<TcpCheck>(server.checks[0]).connect;
    CHECK(connect.connect_timeout == 3s);
    CHECK(connect.retry == 3);
    CHECK(connect.delay_before_retry == 3s);
    CHECK(connect.delay_loop == 6s);
    CHECK(connect.connect_port == 8099);
  }
}

}  // namespace

TEST_CASE("files: the article's DR configuration, word for word") {
  const std::filesystem::path path = kCorpus / "articles" / "dr.conf";
  if (skip_without(path)) return;

  const Loaded loaded = load_files(path.string());

  CHECK(loaded.diagnostics.errors() == 0);
  check_article(loaded.model, 192, 168, 1, ForwardingMethod::direct_route);
  CHECK(loaded.model.instances[0].virtual_addresses[0].label == "eth0:vip");
  CHECK(findings(loaded.diagnostics) ==
        "32:5 warning: accepted, without effect: 'nat_mask' (keepalived dropped it in 2015; it can "
        "be removed)\n"
        "39:11 warning: 'nb_get_retry' is an old name: write 'retry'");
}

TEST_CASE("files: the article's NAT configuration, word for word") {
  const std::filesystem::path path = kCorpus / "articles" / "nat.conf";
  if (skip_without(path)) return;

  const Loaded loaded = load_files(path.string());

  CHECK(loaded.diagnostics.errors() == 0);
  check_article(loaded.model, 172, 20, 10, ForwardingMethod::nat);
}

TEST_CASE("files: every configuration in etc/ warns of nothing but what is not done yet") {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kRoot / "etc")) {
    if (entry.path().extension() != ".conf") continue;
    ++count;
    const Loaded loaded = load_files(entry.path().string());
    for (const Diagnostic& one : loaded.diagnostics.all()) {
      CHECK_MESSAGE(one.severity == Severity::warning, render(one));
      CHECK_MESSAGE(one.kind == Kind::hint, render(one));
    }
    CHECK_FALSE(loaded.model.instances.empty());
  }
  CHECK(count >= 6);
}

TEST_CASE("files: the two directors of each pair in etc/ fit together") {
  const auto model = [](const char* name) {
    return load_files((kRoot / "etc" / name).string()).model;
  };
  for (const auto& [one, other] : {std::pair{"pair-dr.conf", "pair-dr-backup.conf"},
                                   std::pair{"dual-master-a.conf", "dual-master-b.conf"}}) {
    const Model a = model(one);
    const Model b = model(other);
    CHECK(a.services == b.services);
    REQUIRE(a.instances.size() == b.instances.size());
    for (std::size_t i = 0; i < a.instances.size(); ++i) {
      VrrpInstance same = b.instances[i];
      CHECK(same.priority != a.instances[i].priority);
      CHECK(same.state != a.instances[i].state);
      same.priority = a.instances[i].priority;
      same.state = a.instances[i].state;
      CHECK(same == a.instances[i]);
    }
  }
}

TEST_CASE("files: everything in the corpus is read to its end, and survives the snapshot") {
  if (skip_without(kCorpus)) return;
  std::size_t files = 0;
  std::size_t clean = 0;
  std::size_t with_errors = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(kCorpus)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_regular_file() || name.ends_with(".json") || name.ends_with(".md")) continue;
    if (name.find(".conf") == std::string::npos) continue;
    ++files;
    const Loaded loaded = load_files(entry.path().string(), {.config_id = "main"});
    clean += loaded.diagnostics.empty() ? 1 : 0;
    with_errors += loaded.diagnostics.has_errors() ? 1 : 0;
    const auto again = from_bytes(to_bytes(loaded.snapshot));
    REQUIRE(again.has_value());
    CHECK_MESSAGE(parse_snapshot(*again).model == loaded.model, name);
  }
  fmt::print("corpus: {} files, {} without any finding, {} with errors\n", files, clean,
             with_errors);
  CHECK(files > 250);
  CHECK(with_errors * 4 < files);
}

TEST_CASE("files: a thousand services are all read") {
  const auto text = [](int services) {
    std::string out;
    for (int i = 0; i < services; ++i) {
      out += fmt::format(
          "virtual_server 10.0.{}.{} 80 {{\nprotocol TCP\nreal_server 10.1.0.1 80 {{\nTCP_CHECK "
          "{{\n}}\n}}\n}}\n",
          i / 256, i % 256);
    }
    return out;
  };
  const Loaded loaded = load(text(1000));
  CHECK(loaded.model.services.size() == 1000);
  CHECK(loaded.diagnostics.empty());
}
