#include "ctl/support_bundle.hpp"

#include "config/secrets.hpp"
#include "config/source_set.hpp"
#include "core/base64.hpp"
#include "ctl/client.hpp"
#include "ctl/command_output.hpp"
#include "ctl/json_view.hpp"
#include "runtime/clock.hpp"
#include "runtime/small_file.hpp"
#include "runtime/unique_fd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace holdfast::ctl {
namespace {

namespace fs = std::filesystem;

struct Page {
  const char* name;
  const char* what;
  std::vector<std::string> command;
};

/// Our own verbs are run as any other program: what they print is what an operator would see.
std::vector<Page> pages(const std::string& run_dir, const std::string& config_file) {
  const std::string self = "/proc/self/exe";
  const auto ours = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {self, "--run-dir", run_dir});
    return words;
  };
  std::vector<Page> all{
      {"version.txt", "which Holdfast", {self, "version"}},
      {"status.txt", "what each process knows", ours({"status"})},
      {"status.json", "the same for programs", ours({"status", "--json"})},
      {"events.txt", "what the processes said lately", ours({"events"})},
      {"plan.txt", "what a reload would change", ours({"plan"})},
      {"ipvs.txt", "the kernel's table of services", {self, "ipvs", "-L", "-n"}},
      {"ipvs-counters.txt", "with its counters", {self, "ipvs", "-L", "-n", "--stats"}},
      {"kernel.txt", "which kernel", {"uname", "-a"}},
      {"links.txt", "interfaces", {"ip", "-details", "-statistics", "link"}},
      {"addresses.txt", "addresses", {"ip", "address"}},
      {"routes.txt", "routes of IPv4", {"ip", "route", "show", "table", "all"}},
      {"routes6.txt", "routes of IPv6", {"ip", "-6", "route", "show", "table", "all"}},
      {"rules.txt", "routing rules", {"ip", "rule"}},
      {"neighbours.txt", "neighbours", {"ip", "neighbour"}},
      {"groups.txt", "multicast groups", {"ip", "maddress"}},
      {"firewall.txt", "the firewall", {"nft", "list", "ruleset"}},
      {"sockets.txt", "raw sockets", {"ss", "-w", "-a", "-n", "-p"}},
      {"journal.txt",
       "the log of the unit, two days of it",
       {"journalctl", "-u", "holdfast", "--since", "-2d", "--no-pager", "-n", "20000"}}};
  if (!config_file.empty())
    all.insert(all.begin() + 3, {"check.txt", "what is wrong with the configuration",
                                 ours({"check", "--online", config_file})});
  return all;
}

/// The configuration in use; nullopt: nobody answers, or not to this user.
std::optional<config::Snapshot> in_use(const Target& target, std::string& config_file) {
  const auto answer = request_of(target, "watchdog", {{"command", "configuration"}});
  if (!answer) return std::nullopt;
  config_file = text(*answer, "config_file");
  const auto bytes = core::from_base64(text(*answer, "snapshot"));
  if (!bytes) return std::nullopt;
  auto snapshot =
      config::from_bytes({reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->size()});
  if (!snapshot) return std::nullopt;
  return std::move(*snapshot);
}

std::string without_secrets(const config::Secrets& secrets, std::string_view words) {
  std::string shown;
  shown.reserve(words.size());
  while (!words.empty()) {
    const std::size_t end = std::min(words.find('\n'), words.size());
    shown += secrets.without_secrets(words.substr(0, end));
    if (end < words.size()) shown += '\n';
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return shown;
}

class Folder {
 public:
  explicit Folder(std::string name) : name_(std::move(name)) {
    std::string pattern = fs::temp_directory_path() / "holdfast-bundle-XXXXXX";
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
    if (!path_.empty()) ::mkdir(inside().c_str(), 0700);
  }
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] core::Result<void> put(const std::string& file, std::string_view words) const {
    return runtime::replace_file(inside() + "/" + file, words, 0600);
  }

 private:
  [[nodiscard]] std::string inside() const { return path_ + "/" + name_; }

  std::string name_;
  std::string path_;
};

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "host";
}

/// The moment as part of a file's name: "20261129T104500".
std::string compact(std::string moment) {
  std::erase_if(moment, [](char letter) { return letter == '-' || letter == ':'; });
  return moment.substr(0, 15);
}

core::Result<void> collect(const Target& target, const Folder& folder) {
  std::string config_file;
  const auto snapshot = in_use(target, config_file);
  config::Secrets secrets;
  std::string list = fmt::format(
      "Collected by holdfastctl support-bundle at {}.\n"
      "Secrets of the configuration and passwords in URLs are replaced by {}. Passwords within "
      "command lines are not found unless they stand in a URL: look for them.\n\n",
      runtime::iso8601_utc(runtime::now()), config::kMask);
  if (snapshot) {
    secrets.read(snapshot->text);
    if (auto put =
            folder.put("configuration.txt", secrets.configuration_without_secrets(snapshot->text));
        !put)
      return put;
    list += "configuration.txt: the configuration in use, includes in their places\n";
  } else {
    list += "No configuration: no holdfast answered in " + target.run_dir + "\n";
  }
  for (const Page& page : pages(target.run_dir, config_file)) {
    const std::string words = without_secrets(secrets, output_of(page.command, {}));
    if (auto put = folder.put(page.name, words); !put) return put;
    list += fmt::format("{}: {}\n", page.name, page.what);
  }
  return folder.put("README.txt", list);
}

}  // namespace

int support_bundle(const Target& target, std::string file) {
  const std::string name =
      fmt::format("holdfast-{}-{}", host_name(), compact(runtime::iso8601_utc(runtime::now())));
  if (file.empty()) file = name + ".tar.gz";
  const runtime::UniqueFd archive(
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!archive) {
    complain(fmt::format("cannot write {}: {}", file, std::strerror(errno)));
    return kFailed;
  }
  const Folder folder(name);
  const auto collected = folder.path().empty()
                             ? core::fail_errno(errno, "cannot make a temporary directory")
                             : collect(target, folder);
  const std::string archived =
      collected ? output_of({"tar", "--force-local", "-czf", file, "-C", folder.path(), name},
                            {.time = std::chrono::minutes(2)})
                : "";
  if (collected && archived.empty()) {
    say(
        fmt::format("{}: look through it before you pass it on; secrets of the configuration and "
                    "passwords in URLs are masked; addresses, names and passwords within command "
                    "lines are not\n",
                    file));
    return kDone;
  }
  ::unlink(file.c_str());
  complain(collected ? "the archive could not be made: " + archived : collected.error().message);
  return kFailed;
}

}  // namespace holdfast::ctl
