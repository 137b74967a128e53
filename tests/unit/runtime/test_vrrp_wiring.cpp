#include "config/load.hpp"
#include "vrrp/wiring.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::vrrp;
using namespace std::chrono_literals;

namespace {

Plan plan_of(const std::string& text) {
  const config::Loaded loaded = config::load_text(text, "test.conf");
  INFO(config::render_text(loaded.diagnostics));
  REQUIRE_FALSE(loaded.diagnostics.has_errors());
  auto plan = make_plan(loaded.model);
  REQUIRE(plan.has_value());
  return std::move(*plan);
}

const std::string kInstance = R"(
vrrp_instance VI_1 {
  state MASTER
  interface eth0
  virtual_router_id 51
  priority 150
  advert_int 2
  authentication {
    auth_type PASS
    auth_pass 1111
  }
  notify_master "/bin/true one two"
  notify_fault /bin/false
  notify /bin/echo
  virtual_ipaddress {
    192.168.1.200 dev eth1 label eth1:vip
    10.0.0.1/24
  }
}
)";

}  // namespace

TEST_CASE("wiring: what the file says is what the core gets") {
  const Plan plan = plan_of(kInstance);

  REQUIRE(plan.instances.size() == 1);
  const InstanceSettings& settings = plan.instances[0];
  CHECK(settings.name == "VI_1");
  CHECK(settings.interface == "eth0");
  CHECK(settings.vrid == 51);
  CHECK(settings.priority == 150);
  CHECK(settings.initial_state == InitialState::master);
  CHECK(settings.advert_interval == 2s);
  CHECK(settings.authentication == Authentication::password("1111"));
  REQUIRE(settings.addresses.size() == 2);
  CHECK(settings.addresses[0].prefix == *core::IpPrefix::parse("192.168.1.200"));
  CHECK(settings.addresses[0].interface == "eth1");
  CHECK(settings.addresses[0].label == "eth1:vip");
  CHECK(settings.addresses[1].prefix.length == 24);
  CHECK(settings.garp.repeat == 5);
  CHECK(settings.garp.delay == 5s);
}

TEST_CASE("wiring: notify_<state> comes first, then notify with keepalived's four arguments") {
  const Plan plan = plan_of(kInstance);
  const InstanceScripts& scripts = plan.scripts.at({"eth0", 51});

  const auto master = commands_for(scripts, "VI_1", NotifyState::master, 150);
  REQUIRE(master.size() == 2);
  CHECK(master[0].argv == std::vector<std::string>{"/bin/true", "one", "two"});
  CHECK(master[1].argv ==
        std::vector<std::string>{"/bin/echo", "INSTANCE", "VI_1", "MASTER", "150"});

  const auto deleted = commands_for(scripts, "VI_1", NotifyState::deleted, 150);
  REQUIRE(deleted.size() == 2);
  CHECK(deleted[0].argv == std::vector<std::string>{"/bin/false"});
  CHECK(deleted[1].argv[3] == "DELETED");
  CHECK(commands_for(scripts, "VI_1", NotifyState::backup, 150).size() == 1);
  CHECK(commands_for(scripts, "VI_1", NotifyState::master_rx_lower_pri, 150).empty());
}

TEST_CASE("wiring: a script of a user that does not exist is refused with the instance's name") {
  config::Loaded loaded = config::load_text(kInstance, "test.conf");
  loaded.model.instances[0].notify->user = "no-such-user";
  const auto plan = make_plan(loaded.model);
  REQUIRE_FALSE(plan.has_value());
  CHECK(plan.error().message.find("VI_1") != std::string::npos);
  CHECK(plan.error().message.find("no-such-user") != std::string::npos);
}
