// Typical mistakes with the exact text shown: one mistake, one error, and the rest is still read.
#include "tests/unit/config/support.hpp"

#include <doctest/doctest.h>

using namespace holdfast::config;
using namespace holdfast::config::test;

namespace {

std::string shown(const std::string& text) {
  return render_text(load(text).diagnostics);
}

}  // namespace

TEST_CASE("error: a misspelt word is read as the word it resembles, so nothing follows from it") {
  CHECK(shown("vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_ip 51\n  virtual_ipaddress "
              "{\n    10.0.0.1\n  }\n}\n") ==
        "t.conf:3:3: error: unknown word 'virtual_router_ip' in 'vrrp_instance'\n"
        "      virtual_router_ip 51\n"
        "      ^~~~~~~~~~~~~~~~~\n"
        "    help: did you mean 'virtual_router_id'?\n");
}

TEST_CASE("error: a misspelt block is one error and its body is read as what it resembles") {
  CHECK(shown("virtual_server 10.0.0.1 80 {\n  protocol TCP\n  real_server 10.0.0.2 80 {\n    "
              "TCP_CHEK {\n"
              "      connect_timeout 3\n    }\n  }\n}\n") ==
        "t.conf:4:5: error: unknown word 'TCP_CHEK' in 'real_server'\n"
        "        TCP_CHEK {\n"
        "        ^~~~~~~~\n"
        "    help: did you mean 'TCP_CHECK'?\n");
}

TEST_CASE("error: an unknown block is one error and is skipped") {
  CHECK(shown("conntrackd {\n  a b\n  c { d }\n}\n" + instance("")) ==
        "t.conf:1:1: error: unknown word 'conntrackd' at the top level\n"
        "    conntrackd {\n"
        "    ^~~~~~~~~~\n"
        "    help: valid here are blocks such as global_defs, vrrp_instance, virtual_server\n");
}

TEST_CASE("error: a word of another block is told where it belongs") {
  CHECK(shown(instance("lb_algo rr")) ==
        "t.conf:8:1: error: 'lb_algo' is not a word of 'vrrp_instance'\n"
        "    lb_algo rr\n"
        "    ^~~~~~~\n"
        "    help: it belongs into 'virtual_server'\n");
  CHECK(shown("priority 100\n" + instance("")) ==
        "t.conf:1:1: error: 'priority' cannot stand at the top level\n"
        "    priority 100\n"
        "    ^~~~~~~~\n"
        "    help: it belongs into 'vrrp_instance'\n");
}

TEST_CASE("error: a missing closing brace is one error, where it is missed") {
  CHECK(shown("vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 51\n  authentication "
              "{\n    auth_type PASS\n"
              "    auth_pass 1111\n  virtual_ipaddress {\n    10.0.0.1\n  }\n}\n" +
              service("")) ==
        "t.conf:7:3: error: the block 'authentication' (opened on line 4) is not closed before "
        "'virtual_ipaddress'\n"
        "      virtual_ipaddress {\n"
        "      ^~~~~~~~~~~~~~~~~\n"
        "    help: add the missing '}' above this line\n");
  CHECK(shown("vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 51\n  virtual_ipaddress "
              "{\n    10.0.0.1\n  }\n" +
              service("")) ==
        "t.conf:7:1: error: the block 'vrrp_instance' (opened on line 1) is not closed before "
        "'virtual_server'\n"
        "    virtual_server 192.168.1.200 80 {\n"
        "    ^~~~~~~~~~~~~~\n"
        "    help: add the missing '}' above this line\n");
  CHECK(shown("vrrp_instance VI_1 {\n  interface eth0\n  virtual_router_id 51\n  virtual_ipaddress "
              "{\n    10.0.0.1\n"
              "  priority 90\n}\n") ==
        "t.conf:6:3: error: the block 'virtual_ipaddress' (opened on line 4) is not closed before "
        "'priority'\n"
        "      priority 90\n"
        "      ^~~~~~~~\n"
        "    help: add the missing '}' above this line\n");
  CHECK(shown(instance("") +
              "virtual_server 10.0.0.1 80 {\n  protocol TCP\n  sorry_server 10.0.0.3 80\n") ==
        "t.conf:10:1: error: the block 'virtual_server' that opens here is not closed\n"
        "    virtual_server 10.0.0.1 80 {\n"
        "    ^~~~~~~~~~~~~~\n"
        "    help: add the missing '}'\n");
}

TEST_CASE("error: a closing brace too many is one error, where it does harm") {
  CHECK(shown("vrrp_instance VI_1 {\n  interface eth0\n  }\n  virtual_router_id 51\n  "
              "virtual_ipaddress {\n    10.0.0.1\n"
              "  }\n}\n" +
              service("")) ==
        "t.conf:3:3: error: this '}' is one too many: it ends the block 'vrrp_instance' before "
        "'virtual_router_id'\n"
        "      }\n"
        "      ^\n"
        "    help: remove it\n");
  CHECK(shown(instance("") + "}\n" + service("")) ==
        "t.conf:10:1: error: this '}' closes nothing: no block is open\n"
        "    }\n"
        "    ^\n"
        "    help: remove it, or look for a '}' too many above\n");
}

TEST_CASE("error: a missing opening brace is one error") {
  CHECK(shown("vrrp_instance VI_1\n  interface eth0\n  virtual_router_id 51\n  virtual_ipaddress "
              "{\n    10.0.0.1\n  }\n}\n") ==
        "t.conf:1:1: error: 'vrrp_instance' must be followed by a block in braces\n"
        "    vrrp_instance VI_1\n"
        "    ^~~~~~~~~~~~~\n"
        "    help: write '{' at the end of this line\n");
}

TEST_CASE("error: a brace on its own line and blocks on one line are fine") {
  CHECK(shown("vrrp_instance VI_1\n\n# comment\n{\ninterface eth0\nvirtual_router_id "
              "51\nvirtual_ipaddress { 10.0.0.1 }}\n")
            .empty());
}

TEST_CASE("error: braces without a word, and behind a word that takes none") {
  CHECK(shown("{\n a b\n}\n" + instance("")) ==
        "t.conf:1:1: error: this '{' follows no word that opens a block\n"
        "    {\n"
        "    ^\n"
        "    help: the block is skipped; put its name before the brace\n");
  CHECK(shown(instance("advert_int 1 {\n a b\n}")) ==
        "t.conf:8:14: error: 'advert_int' has no block\n"
        "    advert_int 1 {\n"
        "                 ^\n"
        "    help: the block is skipped; remove the braces\n");
}

TEST_CASE("error: values out of range and of the wrong kind") {
  CHECK(
      shown(instance("priority 300")) ==
      "t.conf:8:1: warning: 'priority' is given more than once in this block; the last one counts\n"
      "    priority 300\n"
      "    ^~~~~~~~\n"
      "t.conf:8:10: error: 'priority' must be a number from 1 to 255, not '300'\n"
      "    priority 300\n"
      "             ^~~\n");
  CHECK(shown(instance("advert_int 1s")) ==
        "t.conf:8:12: error: 'advert_int' must be a number of seconds from 0.01 to 255, not '1s'\n"
        "    advert_int 1s\n"
        "               ^~\n"
        "    help: write plain seconds, without a unit\n");
  CHECK(shown(instance("state SLAVE")) ==
        "t.conf:8:7: error: 'state' must be MASTER or BACKUP, not 'SLAVE'\n"
        "    state SLAVE\n"
        "          ^~~~~\n");
  CHECK(shown(instance("state Master;")) ==
        "t.conf:8:7: error: 'state' must be MASTER or BACKUP, not 'Master;'\n"
        "    state Master;\n"
        "          ^~~~~~~\n"
        "    help: did you mean 'MASTER'?\n");
  CHECK(shown(service("lb_kind dr")) ==
        "t.conf:3:9: error: 'lb_kind' must be NAT, DR or TUN, not 'dr'\n"
        "    lb_kind dr\n"
        "            ^~\n"
        "    help: did you mean 'DR'?\n");
  CHECK(shown(service("delay_loop 6;")) ==
        "t.conf:3:12: error: 'delay_loop' must be a number of seconds from 0.001 to 2678400, not "
        "'6;'\n"
        "    delay_loop 6;\n"
        "               ^~\n"
        "    help: remove the ';'\n");
}

TEST_CASE("error: a word without its value, and with too many") {
  CHECK(shown(instance("advert_int")) ==
        "t.conf:8:1: error: 'advert_int' needs a number of seconds from 0.01 to 255\n"
        "    advert_int\n"
        "    ^~~~~~~~~~\n");
  CHECK(shown(instance("advert_int 1 preempt_delay 5")) ==
        "t.conf:8:14: warning: 'preempt_delay' is ignored: nothing more may follow 'advert_int' on "
        "this line\n"
        "    advert_int 1 preempt_delay 5\n"
        "                 ^~~~~~~~~~~~~\n"
        "    help: begin a new line before 'preempt_delay'\n");
}

TEST_CASE("error: what an instance must have") {
  CHECK(shown("vrrp_instance VI_1 {\n  virtual_ipaddress {\n    10.0.0.1\n  }\n  virtual_router_id "
              "1\n}\n") ==
        "t.conf:1:15: error: vrrp_instance 'VI_1' has no 'interface'\n"
        "    vrrp_instance VI_1 {\n"
        "                  ^~~~\n"
        "    help: add the interface that carries the adverts, such as 'interface eth0'\n");
  CHECK(shown("vrrp_instance {\n  interface eth0\n}\n") ==
        "t.conf:1:1: error: 'vrrp_instance' needs a name\n"
        "    vrrp_instance {\n"
        "    ^~~~~~~~~~~~~\n");
}

TEST_CASE("error: address lines") {
  CHECK(shown(instance("virtual_ipaddress_excluded {\n  10.0.0.300\n}")) ==
        "t.conf:9:3: error: '10.0.0.300' is not an IP address\n"
        "      10.0.0.300\n"
        "      ^~~~~~~~~~\n"
        "    help: each line of this block begins with an address, such as 192.168.1.200/24 dev "
        "eth0\n");
  CHECK(shown(instance("virtual_ipaddress_excluded {\n  10.0.0.3/33\n}")) ==
        "t.conf:9:3: error: '10.0.0.3/33' is not an IP address\n"
        "      10.0.0.3/33\n"
        "      ^~~~~~~~~~~\n"
        "    help: the prefix length must be a number up to 32 for IPv4, up to 128 for IPv6\n");
  CHECK(shown(instance("virtual_ipaddress_excluded {\n  10.0.0.1 10.0.0.2\n}")) ==
        "t.conf:9:12: error: a second address, '10.0.0.2', on one line\n"
        "      10.0.0.1 10.0.0.2\n"
        "               ^~~~~~~~\n"
        "    help: write each address on a line of its own\n");
  CHECK(shown(instance("virtual_ipaddress_excluded {\n  10.0.0.1 lable eth0:1\n}")) ==
        "t.conf:9:12: error: unknown option 'lable' of an address\n"
        "      10.0.0.1 lable eth0:1\n"
        "               ^~~~~\n"
        "    help: did you mean 'label'?\n");
}

TEST_CASE("error: services and servers") {
  CHECK(
      shown("virtual_server 10.0.0.1:80 {\n  protocol TCP\n}\n") ==
      "t.conf:1:16: error: 'virtual_server' must be followed by an IP address, not '10.0.0.1:80'\n"
      "    virtual_server 10.0.0.1:80 {\n"
      "                   ^~~~~~~~~~~\n"
      "    help: write the port as a word of its own: '10.0.0.1 80'\n");
  CHECK(shown("virtual_server 10.0.0.1 70000 {\n  protocol TCP\n}\n") ==
        "t.conf:1:25: error: the port must be a number from 1 to 65535, not '70000'\n"
        "    virtual_server 10.0.0.1 70000 {\n"
        "                            ^~~~~\n");
  CHECK(shown("virtual_server192.168.0.100 3306 {\n  protocol TCP\n}\n") ==
        "t.conf:1:1: error: unknown word 'virtual_server192.168.0.100' at the top level\n"
        "    virtual_server192.168.0.100 3306 {\n"
        "    ^~~~~~~~~~~~~~~~~~~~~~~~~~~\n"
        "    help: put a blank after 'virtual_server'\n");
  CHECK(shown(service("", "HTTP_GET {\n}")) ==
        "t.conf:5:1: error: this HTTP_GET has no 'url' with a 'path': there is nothing to ask for\n"
        "    HTTP_GET {\n"
        "    ^~~~~~~~\n"
        "    help: add a block such as: url { path / }\n");
  CHECK(shown(service("", "HTTP_GET {\nurl {\nstatus_code 200\n}\n}")) ==
        "t.conf:6:1: error: this 'url' has no 'path'\n"
        "    url {\n"
        "    ^~~\n"
        "    help: add the path to ask for, such as 'path /'\n");
}

TEST_CASE("error: files that are not there, not files, or empty") {
  const auto text = [](const std::string& path) {
    return render_text(load_files(path).diagnostics);
  };
  CHECK(text("/nonexistent/h.conf") ==
        "/nonexistent/h.conf: error: cannot read the configuration /nonexistent/h.conf: No such "
        "file or directory\n");
  CHECK(text("/tmp") == "/tmp: error: cannot read the configuration /tmp: Is a directory\n");
  CHECK(render_text(load(" \n\t\n").diagnostics) ==
        "t.conf: error: the configuration t.conf is empty\n"
        "    help: write at least one vrrp_instance or virtual_server\n");
}

TEST_CASE("error: deep nesting and endless words do not exhaust anything") {
  const std::string open(200'000, '{');
  static_cast<void>(load("global_defs " + open));
  static_cast<void>(load(open));
  static_cast<void>(load(std::string(200'000, '}')));
  static_cast<void>(load("virtual_server " + std::string(200'000, 'x') + " {"));
  std::string nested;
  for (int i = 0; i < 50'000; ++i) nested += "vrrp_instance A {\n";
  CHECK(load(nested).diagnostics.has_errors());
}
