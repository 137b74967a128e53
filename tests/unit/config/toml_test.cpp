// TOML beside keepalived's syntax: the same meaning, the same checks, places that lead into the
// TOML file.
#include "config/toml/write.hpp"
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

Loaded load_toml(std::string_view text) {
  return load_text(text, "t.toml");
}

constexpr std::string_view kPair = R"(# the director of the examples
[global_defs]
router_id = "LVS_1"
smtp_server = ["127.0.0.1", 2525]

[[vrrp_instance]]
name = "VI_1"
state = "BACKUP"
interface = "eth0"
virtual_router_id = 51
priority = 150
advert_int = 1
nopreempt = true
smtp_alert = false
virtual_ipaddress = [
  "192.168.1.200/24 dev eth0 label eth0:vip",
  "192.168.1.201",
]
notify_master = ["/bin/run --once", "nobody"]

[vrrp_instance.authentication]
auth_type = "PASS"
auth_pass = "secret"

[[virtual_server]]
address = "192.168.1.200"
port = 80
delay_loop = 2.5
protocol = "TCP"
lb_algo = "wrr"
lb_kind = "DR"

[[virtual_server.real_server]]
address = "192.168.1.67"
port = 80
weight = 2
TCP_CHECK = { connect_timeout = 3 }

[[virtual_server.real_server]]
address = "192.168.1.68"
port = 80
[virtual_server.real_server.HTTP_GET]
[[virtual_server.real_server.HTTP_GET.url]]
path = "/"
status_code = [200, "301-302"]
)";

constexpr std::string_view kSamePair = R"(global_defs {
  router_id LVS_1
  smtp_server 127.0.0.1 2525
}
vrrp_instance VI_1 {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority 150
  advert_int 1
  nopreempt
  smtp_alert off
  virtual_ipaddress {
    192.168.1.200/24 dev eth0 label eth0:vip
    192.168.1.201
  }
  notify_master "/bin/run --once" nobody
  authentication {
    auth_type PASS
    auth_pass secret
  }
}
virtual_server 192.168.1.200 80 {
  delay_loop 2.5
  protocol TCP
  lb_algo wrr
  lb_kind DR
  real_server 192.168.1.67 80 {
    weight 2
    TCP_CHECK {
      connect_timeout 3
    }
  }
  real_server 192.168.1.68 80 {
    HTTP_GET {
      url {
        path /
        status_code 200 301-302
      }
    }
  }
}
)";

}  // namespace

TEST_CASE("toml: a whole director means the same as in keepalived's syntax") {
  const Loaded toml = load_toml(kPair);
  const Loaded keepalived = load(kSamePair);

  CHECK_MESSAGE(!toml.diagnostics.has_errors(), render_text(toml.diagnostics));
  CHECK(toml.model == keepalived.model);
  CHECK(toml.model.instances.size() == 1);
  CHECK(toml.model.services.size() == 1);
  CHECK(toml.model.services[0].real_servers.size() == 2);
}

TEST_CASE("toml: an entry of a list is a line, its words, or a table") {
  const auto addresses = [](std::string_view list) {
    const Loaded loaded = load_toml(
        fmt::format("[[vrrp_instance]]\nname = \"V\"\ninterface = \"eth0\"\nvirtual_router_id = 1\n"
                    "virtual_ipaddress = {}\n",
                    list));
    REQUIRE_MESSAGE(!loaded.diagnostics.has_errors(), render_text(loaded.diagnostics));
    return loaded.model.instances.at(0).virtual_addresses;
  };
  const std::vector<VirtualAddress> lines =
      addresses(R"(["10.0.0.1/24 dev eth1 label eth1:v noprefixroute", "10.0.0.2"])");

  CHECK(lines.size() == 2);
  CHECK(lines.at(0).no_prefix_route);
  CHECK(addresses(R"([["10.0.0.1/24", "dev", "eth1", "label", "eth1:v", "noprefixroute"],
                      "10.0.0.2"])") == lines);
  CHECK(addresses(
            R"([{ dev = "eth1", address = "10.0.0.1/24", label = "eth1:v", noprefixroute = true },
                { address = "10.0.0.2", home = false }])") == lines);
}

TEST_CASE("toml: objects know their place in the TOML file") {
  const Model model = load_toml(kPair).model;

  CHECK(model.where(model.instances[0].location) == "t.toml:6:3");
  CHECK(model.where(model.instances[0].virtual_addresses[0].location) == "t.toml:16:4");
  CHECK(model.where(model.services[0].real_servers[1].location) == "t.toml:39:18");
}
