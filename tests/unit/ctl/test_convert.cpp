// holdfastctl convert, as a person calls it: files in, files out, an exit code.
#include "config/load.hpp"
#include "ctl/convert.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::ctl;

namespace {

class Directory {
 public:
  Directory()
      : path_(std::filesystem::temp_directory_path() /
              fmt::format("holdfast-convert-{}", ::getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  [[nodiscard]] std::string name(const std::string& file) const { return (path_ / file).string(); }
  [[nodiscard]] std::string write(const std::string& file, std::string_view text) const {
    std::ofstream(path_ / file) << text;
    return name(file);
  }

 private:
  std::filesystem::path path_;
};

std::string read_all(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

constexpr std::string_view kRouter =
    "vrrp_instance VI_1 {\n    interface eth0\n    virtual_router_id 51\n    nopreempt\n"
    "    virtual_ipaddress {\n        192.168.1.200/24 dev eth0\n    }\n}\n\n";

}  // namespace

TEST_CASE("convert: there and back again, word for word") {
  const Directory directory;
  const std::string source = directory.write("router.conf", kRouter);

  REQUIRE(convert({.file = source, .config_id = {}, .to = {}, .out = directory.name("r.toml")}) ==
          kDone);
  REQUIRE(convert({.file = directory.name("r.toml"),
                   .config_id = {},
                   .to = {},
                   .out = directory.name("back.conf")}) == kDone);

  CHECK(read_all(directory.name("r.toml")) ==
        "[[vrrp_instance]]\nname = \"VI_1\"\ninterface = \"eth0\"\nvirtual_router_id = 51\n"
        "nopreempt = true\nvirtual_ipaddress = [\"192.168.1.200/24 dev eth0\"]\n");
  CHECK(read_all(directory.name("back.conf")) == kRouter);
  CHECK(config::load_files(directory.name("r.toml")).model == config::load_files(source).model);
}

TEST_CASE("convert: a configuration with errors is not converted, and nothing is written") {
  const Directory directory;
  const std::string source = directory.write("broken.toml", "[[vrrp_instance]]\nprioritty = 5\n");

  CHECK(convert({.file = source, .config_id = {}, .to = {}, .out = directory.name("out.conf")}) ==
        kFailed);
  CHECK(!std::filesystem::exists(directory.name("out.conf")));
}

TEST_CASE("convert: a word that keepalived's syntax cannot hold is not converted") {
  const Directory directory;
  const std::string source = directory.write(
      "quotes.toml",
      "[[vrrp_instance]]\nname = \"V\"\ninterface = \"eth0\"\nvirtual_router_id = 1\n"
      "virtual_ipaddress = [\"10.0.0.1\"]\nnotify_master = '/bin/say \"hello\"'\n");

  CHECK(convert({.file = source, .config_id = {}, .to = {}, .out = directory.name("out.conf")}) ==
        kFailed);
  CHECK(convert({.file = source, .config_id = {}, .to = "toml", .out = directory.name("o.toml")}) ==
        kDone);
}

TEST_CASE("convert: nobody may read the result who may not read the source") {
  namespace fs = std::filesystem;
  const Directory directory;
  const std::string secret = directory.write("secret.conf", kRouter);
  const std::string outer = directory.write("outer.conf", "include secret.conf\n");
  const std::string out = directory.name("out.toml");
  const auto mode_after = [&](const std::string& source, bool force) {
    REQUIRE(convert({.file = source, .config_id = {}, .to = "toml", .out = out, .force = force}) ==
            kDone);
    return static_cast<unsigned>(fs::status(out).permissions());
  };
  fs::permissions(outer, fs::perms{0644});
  fs::permissions(secret, fs::perms{0600});
  CHECK(mode_after(secret, false) == 0600);
  CHECK(fs::remove(out));
  CHECK(mode_after(outer, false) == 0600);  // what it includes counts, too
  fs::permissions(secret, fs::perms{0640});
  CHECK(mode_after(secret, true) == 0640);
  fs::permissions(out, fs::perms{0666});
  CHECK(mode_after(secret, true) == 0640);  // before anything is written
}

TEST_CASE("convert: a file that is there is overwritten with --force only") {
  const Directory directory;
  const std::string source = directory.write("router.conf", kRouter);
  const std::string out = directory.write("out.toml", "precious\n");

  CHECK(convert({.file = source, .config_id = {}, .to = {}, .out = out}) == kFailed);
  CHECK(read_all(out) == "precious\n");
  CHECK(convert({.file = source, .config_id = {}, .to = {}, .out = out, .force = true}) == kDone);
  CHECK(read_all(out).starts_with("[[vrrp_instance]]"));
  CHECK(convert({.file = source, .config_id = {}, .to = {}, .out = "/dev/null"}) == kDone);
}
