#include "ipvs_wrapper/json.hpp"
#include "ipvs_wrapper/text.hpp"
#include "tests/unit/ipvs_wrapper/random_table.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

using namespace holdfast;
using namespace holdfast::ipvs;

namespace {

std::string error_of(std::string_view text) {
  const auto table = parse_text(text);
  return table ? "no error" : table.error().message;
}

std::string json_error_of(std::string_view text) {
  const auto table = parse_json(text);
  return table ? "no error" : table.error().message;
}

// One line of every form that `ipvsadm -S -n` writes, in our order.
constexpr std::string_view kSaved =
    "-A -t 10.10.10.11:8000 -s sh -p 120 -M 255.255.255.0 -b sh-fallback,sh-port\n"
    "-a -t 10.10.10.11:8000 -r 192.168.60.11:8000 -m -w 1\n"
    "-A -t [2001:db8::80]:443 -s wrr -p 60 -M 64\n"
    "-A -u 10.10.10.10:53 -s mh -o -b mh-port\n"
    "-a -u 10.10.10.10:53 -r 192.168.60.11:53 -i -w 1 --tun-type gre --tun-nocsum\n"
    "-a -u 10.10.10.10:53 -r 192.168.60.12:53 -i -w 1 --tun-type gue --tun-port 6080 --tun-csum\n"
    "-a -u 10.10.10.10:53 -r 192.168.60.13:53 -i -w 1 --tun-type ipip\n"
    "-A --sctp-service 10.10.10.10:36412 -s fo\n"
    "-A -f 7 -s wlc -p 360 --pe sip\n"
    "-A -f 8 -6 -s wrr -p 60 -M 64\n"
    "-a -f 8 -6 -r [2001:db8::5]:0 -g -w 3 -x 100 -y 80\n";

}  // namespace

TEST_CASE("ipvsadm's saved lines are read and written back word for word") {
  const auto table = parse_text(kSaved);
  REQUIRE_MESSAGE(table.has_value(), table.error().message);

  CHECK(table->services.size() == 6);
  CHECK(write_text(*table) == kSaved);
}

TEST_CASE("options come in any order, long, attached or left to their defaults") {
  const auto table = parse_text(
      "# saved by hand\n\nipvsadm -A --scheduler=rr -t 192.0.2.1:80 --persistent\n"
      "  --add-server -r 10.0.0.1:80 --weight 7 --tcp-service 192.0.2.1:80\r\n"
      "-A -f 3\n-a -f 3 -r 10.0.0.1 --masquerading");
  REQUIRE_MESSAGE(table.has_value(), table.error().message);

  CHECK(write_text(*table) ==
        "-A -t 192.0.2.1:80 -s rr -p 360\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 7\n"
        "-A -f 3 -s wlc\n-a -f 3 -r 10.0.0.1:0 -m -w 1\n");
}

TEST_CASE("what ipvsadm has no words for is written with ours") {
  const auto text =
      "-A --protocol 47 10.0.0.1:0 -s rr --flags 64\n-a --protocol 47 10.0.0.1:0 -r 10.0.0.2:0 "
      "--forwarding bypass -w 1\n"
      "-a --protocol 47 10.0.0.1:0 -r 10.0.0.3:0 --forwarding 6 -w 1\n";
  const auto table = parse_text(text);
  REQUIRE_MESSAGE(table.has_value(), table.error().message);

  CHECK(write_text(*table) == text);
}

TEST_CASE("mistakes in the text are told with line and column") {
  CHECK(error_of("-A -t 192.0.2.1:80\n-X") ==
        "line 2, column 1: expected -A (service) or -a (server), found '-X'");
  CHECK(error_of("-A -t 192.0.2.1:80 -q") == "line 1, column 20: unknown option '-q'");
  CHECK(error_of("-A -t") == "line 1, column 6: option '-t' needs a value");
  CHECK(error_of("-A -t 192.0.2.256:80") == "line 1, column 7: '192.0.2.256' is not an IP address");
  CHECK(error_of("-A -t 192.0.2.1:70000") ==
        "line 1, column 17: expected a number from 0 to 65535, found '70000'");
  CHECK(error_of("-A -t [2001:db8::1") == "line 1, column 7: '[' without ']' in '[2001:db8::1'");
  CHECK(error_of("-A -t [2001:db8::1]x80") ==
        "line 1, column 7: expected ':' after ']' in '[2001:db8::1]x80'");
  CHECK(error_of("-A -s rr") ==
        "line 1, column 9: the line names no service (-t, -u, --sctp-service or -f)");
  CHECK(error_of("-A -t 1.2.3.4:1 -u 1.2.3.4:1") ==
        "line 1, column 17: the line names two services");
  CHECK(error_of("-A -f 0") ==
        "line 1, column 7: expected a number from 1 to 4294967295, found '0'");
  CHECK(error_of("-A -t 1.2.3.4:1 -6") == "line 1, column 17: '-6' goes with -f only");
  CHECK(error_of("-A -t 1.2.3.4:1 -s abcdefghijklmnop") ==
        "line 1, column 20: 'abcdefghijklmnop' is not a name of 1 to 15 characters");
  CHECK(error_of("-A -t 1.2.3.4:1 -M 255.0.0.0") ==
        "line 1, column 20: a netmask (-M) needs persistence (-p)");
  CHECK(error_of("-A -t 1.2.3.4:1 -p -M 24") == "line 1, column 23: '24' is not an IPv4 netmask");
  CHECK(error_of("-A -t [::1]:1 -p 5 -M 129") ==
        "line 1, column 23: expected a number from 1 to 128, found '129'");
  CHECK(error_of("-A -t 1.2.3.4:1 -s rr -b flag-1,sh-port") ==
        "line 1, column 33: 'sh-port' is not a flag of the scheduler rr");
  CHECK(error_of("-a -t 1.2.3.4:1 -r 1.2.3.5:1") ==
        "line 1, column 1: TCP 1.2.3.4:1 has not been added before its server");
  CHECK(error_of("-A -t 1.2.3.4:1\n-A -t 1.2.3.4:1") ==
        "line 2, column 1: TCP 1.2.3.4:1 is there already");
  CHECK(error_of("-A -t 1.2.3.4:1\n-a -t 1.2.3.4:1 -r 1.1.1.1:1\n-a -t 1.2.3.4:1 -r 1.1.1.1:1") ==
        "line 3, column 1: TCP 1.2.3.4:1 has the server 1.1.1.1:1 already");
  CHECK(error_of("-A -t 1.2.3.4:1\n-a -t 1.2.3.4:1") ==
        "line 2, column 16: the line names no server (-r)");
  CHECK(error_of("-A -t 1.2.3.4:1\n-a -t 1.2.3.4:1 -r 1.1.1.1:1 --tun-type gue -i") ==
        "line 2, column 47: a gue tunnel needs --tun-port");
  CHECK(error_of("-A -t 1.2.3.4:1\n-a -t 1.2.3.4:1 -r 1.1.1.1:1 --tun-type gre") ==
        "line 2, column 30: '--tun-type' goes with -i only");
  CHECK(error_of("-A -t 1.2.3.4:1\n-a -t 1.2.3.4:1 -r 1.1.1.1:1 -y 5") ==
        "line 2, column 34: the lower threshold (-y) is above the upper one (-x)");
}

TEST_CASE("property: text and JSON lose nothing") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    core::Rng rng(seed);
    const auto table = test::random_table(rng, 8, 5);
    CAPTURE(seed);
    const auto from_text = parse_text(write_text(table));
    REQUIRE_MESSAGE(from_text.has_value(), from_text.error().message);
    CHECK(*from_text == table);
    const auto from_json = parse_json(boost::json::serialize(to_json(table)));
    REQUIRE_MESSAGE(from_json.has_value(), from_json.error().message);
    CHECK(*from_json == table);
  }
  const auto odd = parse_text(
      "-A --protocol 47 10.0.0.1:0 -s rr --flags 64\n-a --protocol 47 10.0.0.1:0 -r 10.0.0.3:0 "
      "--forwarding 6 -w 1\n");
  REQUIRE(odd.has_value());
  CHECK(*parse_json(boost::json::serialize(to_json(*odd))) == *odd);
}

TEST_CASE("tunnel values that their type does not use are written too") {
  const std::string text =
      "-A -f 7 -s rr\n"
      "-a -f 7 -r 10.0.0.1:80 -i -w 1 --tun-type ipip --tun-port 6080 --tun-csum\n"
      "-a -f 7 -r 10.0.0.2:80 -i -w 1 --tun-type gre --tun-port 6080 --tun-nocsum\n";

  CHECK(write_text(parse_text(text).value()) == text);
}

TEST_CASE("the JSON form of a table") {
  const auto table = parse_text(
      "-A -f 7 -s sh -p 60 -b sh-port\n-a -f 7 -r 10.0.0.1:80 -i -w 2 --tun-type gre --tun-csum");
  REQUIRE(table.has_value());

  CHECK(boost::json::serialize(to_json(*table)) ==
        R"({"services":[{"mark":7,"family":"ipv4","scheduler":"sh","flags":["flag-2"],)"
        R"("persistence":{"timeout_s":60,"netmask":"255.255.255.255"},)"
        R"("servers":[{"address":"10.0.0.1","port":80,)"
        R"("forwarding":"TUN","weight":2,"upper_threshold":0,"lower_threshold":0,)"
        R"("tunnel":{"type":"gre","port":0,"checksum":"checksum"}}]}]})");
}

TEST_CASE("mistakes in the JSON are told with their path") {
  CHECK(json_error_of("{").starts_with("the table is not JSON: "));
  CHECK(json_error_of("[]") == "the table: must be an object");
  CHECK(json_error_of(R"({"services":{}})") == "services: must be a list");
  CHECK(json_error_of(R"({"services":[7]})") == "services[0]: must be an object");
  CHECK(json_error_of(R"({"services":[{"protocol":"GRE"}]})") ==
        "services[0].protocol: must be TCP, UDP, SCTP or \"IP <number>\"");
  CHECK(json_error_of(R"({"services":[{"mark":1},{"mark":0}]})") ==
        "services[1].mark: must be a number from 1 to 4294967295");
  CHECK(json_error_of(
            R"({"services":[{"mark":1,"servers":[{"address":"10.0.0.1","weight":-1}]}]})") ==
        "services[0].servers[0].weight: must be a number from 0 to 2147483647");
  CHECK(json_error_of(
            R"({"services":[{"mark":1,"servers":[{"address":"10.0.0.1","weight":1.5}]}]})") ==
        "services[0].servers[0].weight: must be a number from 0 to 2147483647");
  CHECK(json_error_of(R"({"services":[{"mark":1,"servers":[{"address":5}]}]})") ==
        "services[0].servers[0].address: must be a text");
  CHECK(json_error_of(R"({"services":[{"mark":1,"persistence":{"netmask":"::1"}}]})") ==
        "services[0].persistence.netmask: must be an IPv4 netmask");
  CHECK(json_error_of(R"({"services":[{"mark":1},{"mark":1}]})") ==
        "services[1]: names a service a second time");
}

TEST_CASE("one command of ipvsadm's line becomes the step that it means") {
  const auto said = [](std::string_view line) {
    const auto step = parse_command(line);
    return step ? to_string(*step) : step.error().message;
  };

  for (const char* line : {"-A -t 192.0.2.1:80 -s rr -p 120", "-E -f 7 -6 -s wrr", "-D -f 7",
                           "-a -t 192.0.2.1:80 -r 10.0.0.1:8080 -m -w 1",
                           "-e -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 5 -x 9 -y 3",
                           "-d -t 192.0.2.1:80 -r 10.0.0.1:80"}) {
    CHECK(said(line) == line);
  }
  CHECK(said("--delete-service -t [2001:db8::1]:443") == "-D -t [2001:db8::1]:443");
  // ipvsadm: without NAT a server has the port of its service.
  CHECK(said("-a -t 192.0.2.1:80 -r 10.0.0.1") == "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 1");
  CHECK(said("-a -t 192.0.2.1:80 -r 10.0.0.1:99 -i")
            .starts_with("-a -t 192.0.2.1:80 -r 10.0.0.1:80 -i"));
  CHECK(said("-d -t 192.0.2.1:80 -r 10.0.0.1") == "-d -t 192.0.2.1:80 -r 10.0.0.1:80");
  CHECK(said("-a -f 7 -r 10.0.0.1 -g") == "-a -f 7 -r 10.0.0.1:0 -g -w 1");
  CHECK(said("-Q -f 7") == "line 1, column 1: expected one of -A -E -D -a -e -d, found '-Q'");
  CHECK(said("-A -f 7 -D") == "line 1, column 9: unknown option '-D'");
  CHECK(said("-d -f 7").ends_with("the line names no server (-r)"));
  CHECK(said("") == "there is no command");
  // A file of rules only adds.
  CHECK_FALSE(parse_text("-D -f 7\n").has_value());
}
