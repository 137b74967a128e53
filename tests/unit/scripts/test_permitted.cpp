// Which commands the process that runs scripts believes.
#include "config/accounts.hpp"
#include "config/load.hpp"

#include <doctest/doctest.h>

#include "scripts/permitted.hpp"

using namespace holdfast;
using namespace holdfast::scripts;

namespace {

config::Script script(std::vector<std::string> argv, std::string user = {}) {
  config::Script made;
  made.argv = std::move(argv);
  made.user = std::move(user);
  return made;
}

config::Model model_with(std::string notify, std::string up) {
  config::Model model;
  model.accounts.push_back(
      {.user = "somebody", .group = {}, .uid = 1000, .gid = 1000, .groups = {1000, 27}});
  model.accounts.push_back({.user = "nobody-knows", .group = {}, .problem = "unknown"});
  config::VrrpInstance instance;
  instance.notify = script({std::move(notify), "-x"});
  instance.notify_fault = script({"/bin/fault"}, "nobody-knows");
  model.instances.push_back(instance);
  config::VirtualServer service;
  config::RealServer server;
  server.notify_up = script({std::move(up)}, "somebody");
  service.real_servers.push_back(server);
  model.services.push_back(service);
  return model;
}

core::Command by_root(std::vector<std::string> argv) {
  return {.argv = std::move(argv), .user = {0, 0, {0}}};
}

core::Command by_somebody(std::vector<std::string> argv) {
  return {.argv = std::move(argv), .user = {1000, 1000, {1000, 27}}};
}

}  // namespace

TEST_CASE("permitted: commands as they are written, for their own account") {
  const Permitted permitted(model_with("/bin/tell", "/bin/up"));

  CHECK(permitted.allows(by_root({"/bin/tell", "-x"})));
  CHECK(permitted.allows(by_somebody({"/bin/up"})));
  CHECK_FALSE(permitted.allows(by_root({"/bin/up"})));
  CHECK_FALSE(permitted.allows(by_somebody({"/bin/tell", "-x"})));
  CHECK_FALSE(permitted.allows(by_root({"/bin/sh", "-c", "id"})));
  CHECK_FALSE(permitted.allows(by_root({})));
  CHECK_FALSE(permitted.allows(by_root({std::string("/bin/tell\0-x", 12)})));
  auto other_groups = by_somebody({"/bin/up"});
  other_groups.user.groups = {1000, 0};
  CHECK_FALSE(permitted.allows(other_groups));
  auto secured = by_root({"/bin/tell", "-x"});
  secured.security = true;
  CHECK_FALSE(permitted.allows(secured));
}

TEST_CASE("permitted: only a notify script is told whose state it is") {
  const Permitted permitted(model_with("/bin/tell", "/bin/up"));

  CHECK(permitted.allows(by_root({"/bin/tell", "-x", "INSTANCE", "VI_1", "MASTER", "100"})));
  CHECK(permitted.allows(by_root({"/bin/tell", "-x", "GROUP", "VG_1", "FAULT", "0"})));
  CHECK_FALSE(permitted.allows(by_root({"/bin/tell", "-x", "-c", "VI_1", "MASTER", "100"})));
  CHECK_FALSE(permitted.allows(by_root({"/bin/tell", "-x", "INSTANCE", "VI_1", "MASTER"})));
  CHECK_FALSE(permitted.allows(by_somebody({"/bin/up", "INSTANCE", "VI_1", "MASTER", "100"})));
}

TEST_CASE("permitted: the script of an account that is not known is nobody's") {
  const Permitted permitted(model_with("/bin/tell", "/bin/up"));
  CHECK_FALSE(permitted.allows(by_root({"/bin/fault"})));
  CHECK_FALSE(permitted.allows({.argv = {"/bin/fault"}}));
}

TEST_CASE("permitted: the last three configurations count") {
  PermittedLately lately;
  CHECK_FALSE(lately.allows(by_root({"/bin/1", "-x"})));
  for (const char* tell : {"/bin/1", "/bin/2", "/bin/3"})
    lately.add(Permitted(model_with(tell, "/bin/up")));
  CHECK(lately.allows(by_root({"/bin/1", "-x"})));
  lately.add(Permitted(model_with("/bin/4", "/bin/up")));
  CHECK_FALSE(lately.allows(by_root({"/bin/1", "-x"})));
  CHECK(lately.allows(by_root({"/bin/2", "-x"})));
  CHECK(lately.allows(by_root({"/bin/4", "-x"})));
}

TEST_CASE("permitted: of variables only those that cannot steer a program") {
  const Permitted permitted(model_with("/bin/notify", "/bin/up"));
  core::Command command = by_root({"/bin/notify", "-x"});

  command.environment = {"HOLDFAST_STATE=MASTER", "HOLDFAST_REASON=a b; c"};
  CHECK(permitted.allows(command));
  for (const std::string& other :
       {std::string("LD_PRELOAD=/tmp/x"), std::string("PATH=/tmp"), std::string("XHOLDFAST_A=1"),
        std::string("HOLDFAST_A=1\0LD_PRELOAD=/tmp/x", 31)}) {
    command.environment = {"HOLDFAST_STATE=MASTER", other};
    CHECK_FALSE(permitted.allows(command));
  }
}
