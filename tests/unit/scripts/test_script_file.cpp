// Whether a script may be run, and whether only root can change it.
#include "runtime/accounts.hpp"
#include "runtime/script_file.hpp"
#include "tests/unit/runtime/support.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <future>
#include <sys/stat.h>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::runtime;

namespace {

constexpr uid_t kSomebody = 65534;

struct Place {
  testing::TemporaryDirectory directory;  // below the sticky /tmp, root's
  std::string script(const std::string& name, mode_t mode = 0755) {
    const std::string path = directory / name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << "#!/bin/sh\n";
    ::chmod(path.c_str(), mode);
    return path;
  }
  std::string link(const std::string& name, const std::string& target) {
    const std::string path = directory / name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::filesystem::create_symlink(target, path);
    return path;
  }
};

std::string verdict(const core::Command& command) {
  std::string program;
  return why_not_run(command, program);
}

}  // namespace

TEST_CASE("script file: root runs with security only what nobody else can change") {
  if (::geteuid() != 0) return;  // the files have to belong to root
  Place place;
  const std::string good = place.script("good");
  const core::Command secure{.argv = {good}, .security = true};
  CHECK(verdict(secure).empty());

  const std::string open = place.script("open", 0777);
  CHECK(verdict({.argv = {open}, .security = true}) ==
        fmt::format("root would run what others can change: everybody may write to {}", open));
  CHECK(verdict({.argv = {open}}).empty());  // without enable_script_security
  CHECK(verdict({.argv = {open}, .user = {kSomebody, kSomebody, {}}, .security = true}).empty());

  const std::string group = place.script("group", 0775);
  REQUIRE(::chown(group.c_str(), 0, 27) == 0);
  CHECK(why_unsafe(group) == fmt::format("group 27 may write to {}", group));

  const std::string foreign = place.script("foreign");
  REQUIRE(::chown(foreign.c_str(), kSomebody, 0) == 0);
  CHECK(why_unsafe(foreign) == fmt::format("{} belongs to user 65534", foreign));

  const std::string setuid = place.script("setuid", 04777);
  CHECK_FALSE(
      verdict({.argv = {setuid}, .user = {kSomebody, kSomebody, {}}, .security = true}).empty());
}

TEST_CASE("script file: every directory on the way counts, and every link's too") {
  if (::geteuid() != 0) return;
  Place place;
  const std::string inner = place.script("open-dir/script");
  ::chmod((place.directory / "open-dir").c_str(), 0777);
  CHECK(why_unsafe(inner) ==
        fmt::format("everybody may write to {}", place.directory / "open-dir"));

  const std::string good = place.script("good");
  CHECK(why_unsafe(place.link("link", good)).empty());
  CHECK(why_unsafe(place.link("relative", "good")).empty());
  // The file and the first link are safe, but the link between them can be replaced.
  const std::string between = place.link("open-dir/between", good);
  CHECK(why_unsafe(place.link("chain", between)) ==
        fmt::format("everybody may write to {}", place.directory / "open-dir"));
  CHECK(why_unsafe(place.link(
            "up",
            "../" + std::filesystem::path(place.directory / "").parent_path().filename().string() +
                "/open-dir/script")) ==
        fmt::format("everybody may write to {}", place.directory / "open-dir"));
  place.link("circle", place.directory / "circle");
  CHECK(why_unsafe(place.directory / "circle").find("circle of links") != std::string::npos);
  CHECK(why_unsafe("bin/true") == "bin/true is no absolute path");
  CHECK(why_unsafe("/bin/sh").empty());
}

TEST_CASE("script file: who may execute is judged with all groups of the account") {
  if (::geteuid() != 0) return;
  Place place;
  const std::string script = place.script("script", 0710);
  REQUIRE(::chown(script.c_str(), 0, 27) == 0);
  CHECK(look_at_script(script, {kSomebody, kSomebody, {kSomebody, 27}}) == ScriptFile::usable);
  CHECK(look_at_script(script, {kSomebody, kSomebody, {}}) == ScriptFile::not_for_user);
  CHECK(verdict({.argv = {script}, .user = {kSomebody, kSomebody, {}}}) ==
        "it is not executable for its user");
  CHECK(verdict({.argv = {"no-such-program-here"}}) == "no program of that name is found");
}

TEST_CASE("accounts: a user comes with all groups; who does not exist is named") {
  const auto root = look_up_account("root", "");
  REQUIRE(root.has_value());
  CHECK(root->uid == 0);
  CHECK(std::ranges::find(root->groups, 0U) != root->groups.end());
  const auto other = look_up_account("root", "nogroup");
  REQUIRE(other.has_value());
  CHECK(other->gid == 65534);
  CHECK(look_up_account("no-such-user", "").error().message ==
        "there is no user 'no-such-user' on this host");
  CHECK(look_up_account("root", "no-such-group").error().message ==
        "there is no group 'no-such-group' on this host");
}

TEST_CASE("accounts: a directory service that hangs costs those whom only it knows") {
  const auto gate = std::make_shared<std::promise<void>>();
  const LookUp slow = [open = gate->get_future().share(), gate](std::string_view user,
                                                                std::string_view group) {
    if (user.starts_with("far")) open.wait();
    return look_up_account(user, group);
  };

  const auto began = std::chrono::steady_clock::now();
  const auto answers =
      look_up_accounts({{"far", ""}, {"root", ""}, {"far-away", ""}, {"nobody", ""}},
                       std::chrono::milliseconds(50), slow);
  gate->set_value();

  CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(5));
  REQUIRE(answers.size() == 4);
  CHECK(answers[0].error().system_errno == ETIMEDOUT);
  CHECK(answers[0].error().message.starts_with(
      "the user 'far' cannot be looked up: this host's directory of accounts does not answer"));
  CHECK(answers[1]->uid == 0);
  CHECK(answers[2].error().system_errno == ETIMEDOUT);
  CHECK(answers[3]->uid == 65534);
}

TEST_CASE("accounts: more of them than are asked side by side all get their answer") {
  std::vector<core::AccountName> questions(3 * kAccountThreads, core::AccountName{"root", ""});
  questions.back().user = "no-such-user";
  const auto answers = look_up_accounts(questions, std::chrono::seconds(60));
  REQUIRE(answers.size() == questions.size());
  CHECK(std::ranges::count_if(answers, [](const auto& one) { return one.has_value(); }) ==
        static_cast<std::ptrdiff_t>(questions.size() - 1));
  CHECK(look_up_accounts({}, std::chrono::seconds(60)).empty());
}

TEST_CASE("accounts: those of the host's own file are found without asking anybody") {
  CHECK(local_account("root")->uid == 0);
  CHECK(local_account("nobody")->uid == 65534);
  CHECK_FALSE(local_account("no-such-user").has_value());
}
