#include "ipvs_wrapper/explain.hpp"
#include "tests/unit/ipvs_wrapper/random_table.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using namespace holdfast;
using namespace holdfast::ipvs;
using test::tcp;

namespace {

const auto kService = tcp("192.0.2.1:80");
const auto kServer = test::endpoint("10.0.0.1:80");

}  // namespace

TEST_CASE("ENOENT is a missing module for a service and a missing entry for a server [IPVS-2]") {
  CHECK(explain(AddService{kService, {.scheduler = "twos"}}, ENOENT) ==
        "cannot add service TCP 192.0.2.1:80: the kernel does not know the scheduler 'twos' "
        "(module ip_vs_twos is missing "
        "or cannot be loaded)");
  CHECK(explain(EditServer{kService, kServer, {}}, ENOENT) ==
        "cannot change server 10.0.0.1:80 of TCP 192.0.2.1:80: the service has no such server; "
        "something else removed it "
        "meanwhile");
  Settings sip{.scheduler = "none", .persistence_engine = "sip"};
  CHECK(explain(AddService{kService, sip}, ENOENT) ==
        "cannot add service TCP 192.0.2.1:80: the kernel does not know the persistence engine "
        "'sip' (module "
        "ip_vs_pe_sip)");
}

TEST_CASE("EINVAL and ERANGE name the mistake that can be seen in the step") {
  const auto reason = [](const Step& step, int error) {
    const auto sentence = explain(step, error);
    return sentence.substr(sentence.find(": ") + 2);
  };
  Server server;
  server.lower_threshold = 5;
  CHECK(reason(AddServer{kService, kServer, server}, ERANGE) ==
        "the lower threshold 5 is above the upper threshold 0");
  server = {};
  server.weight = 0x80000000;
  CHECK(reason(EditServer{kService, kServer, server}, ERANGE) ==
        "the weight 2147483648 is above 2147483647");
  server = {};
  CHECK(reason(AddServer{kService, test::endpoint("[2001:db8::1]:80"), server}, EINVAL) ==
        "a server of the other address family is possible with tunnelling only");
  server.forwarding = Forwarding::tunnel;
  CHECK(reason(AddServer{kService, test::endpoint("[2001:db8::1]:80"), server}, EINVAL) ==
        "a server of the other address family is not possible while the IPVS sync daemon runs");
  server.tunnel.type = TunnelType::gue;
  CHECK(reason(AddServer{kService, kServer, server}, EINVAL) == "a gue tunnel needs a port");
  CHECK(reason(AddServer{kService, test::endpoint("224.0.0.1:80"), {}}, EINVAL)
            .starts_with("the kernel does not take 224.0.0.1 as the address of a server"));
}

TEST_CASE("what keeps us from the table altogether is told with its remedy") {
  CHECK(explain_access("reach IPVS", ENOENT) ==
        "cannot reach IPVS: the kernel has no IPVS: load the module with 'modprobe ip_vs', or use "
        "a kernel that has it");
  CHECK(explain_access("read the IPVS table", EPERM) ==
        "cannot read the IPVS table: not permitted; IPVS needs CAP_NET_ADMIN in the initial user "
        "namespace, even for "
        "reading (run as root, outside unprivileged containers)");
}

TEST_CASE("a deletion of what is not there has reached its purpose; nothing else has") {
  CHECK(is_already_true(DeleteService{kService}, ESRCH));
  CHECK(is_already_true(DeleteServer{kService, kServer}, ENOENT));
  CHECK(is_already_true(DeleteServer{kService, kServer}, ESRCH));
  CHECK_FALSE(is_already_true(DeleteService{kService}, EPERM));
  CHECK_FALSE(is_already_true(AddService{kService, {}}, EEXIST));
}
