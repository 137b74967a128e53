#include "ctl/convert.hpp"

#include "config/load.hpp"
#include "config/report.hpp"
#include "config/toml/write.hpp"
#include "config/write/write.hpp"
#include "ctl/client.hpp"
#include "runtime/small_file.hpp"
#include "runtime/unique_fd.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::ctl {
namespace {

using config::Syntax;

// Prints only what keeps the conversion from being done: `check` is for the rest.
void print_errors(const config::Diagnostics& diagnostics) {
  for (const config::Diagnostic& one : diagnostics.all()) {
    if (one.severity == config::Severity::error) remark(config::render(one));
  }
}

constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kGroup = 0070;

// Who may read every file of the source may read the result: it holds the same passwords. A file
// that cannot be asked, and a group that will not be the result's, allow nobody but the owner.
mode_t mode_like(const config::Snapshot& source) {
  mode_t mode = 0666;
  for (const std::string& file : source.files) {
    struct stat info = {};
    if (::stat(file.c_str(), &info) != 0) return kOwnerOnly;
    mode &= info.st_gid == ::getegid() ? info.st_mode : info.st_mode & ~kGroup;
  }
  return mode | kOwnerOnly;
}

// A terminal, a pipe and /dev/null are not overwritten: there is nothing to lose.
bool is_device(const std::string& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
}

int write_out(const ConvertRequest& request, mode_t mode, const std::string& text) {
  if (request.out.empty()) {
    say(text);
    return kDone;
  }
  const bool device = is_device(request.out);
  const int how = request.force || device ? O_TRUNC : O_EXCL;
  const runtime::UniqueFd file(
      ::open(request.out.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, mode));
  if (!file && errno == EEXIST) {
    complain(fmt::format("{} is there already: --force overwrites it", request.out));
    return kFailed;
  }
  const bool ready = file && (!request.force || device || ::fchmod(file.get(), mode) == 0);
  if (ready && runtime::write_all(file.get(), text, request.out)) return kDone;
  complain(fmt::format("cannot write {}: {}", request.out, std::strerror(errno)));
  return kFailed;
}

Syntax target_of(const ConvertRequest& request, Syntax from) {
  if (!request.to.empty()) return request.to == "toml" ? Syntax::toml : Syntax::keepalived;
  return from == Syntax::toml ? Syntax::keepalived : Syntax::toml;
}

}  // namespace

int convert(const ConvertRequest& request) {
  const config::Loaded loaded = config::load_files(request.file, {request.config_id});
  if (loaded.diagnostics.has_errors()) {
    print_errors(loaded.diagnostics);
    complain(fmt::format("{} is not converted: {}", request.file, loaded.diagnostics.summary()));
    return kFailed;
  }
  const Syntax from =
      loaded.snapshot.parts.empty() ? Syntax::keepalived : loaded.snapshot.parts.front().syntax;
  const Syntax to = target_of(request, from);
  config::Diagnostics problems;
  config::Reporter reporter(loaded.snapshot, problems);
  const config::Tree tree = config::read_tree(loaded.snapshot, reporter);
  if (!config::can_be_written(tree, to, reporter)) {
    print_errors(problems);
    complain(fmt::format("{} is not converted", request.file));
    return kFailed;
  }
  const config::Document document = config::document_of(tree);
  const std::string text =
      to == Syntax::toml ? config::print_toml(document) : config::print_keepalived(document);
  const int code = write_out(request, mode_like(loaded.snapshot), text);
  if (code == kDone) {
    remark(fmt::format("note: comments are not converted{}\n",
                       loaded.snapshot.files.size() > 1
                           ? fmt::format("; the {} included files are written out",
                                         loaded.snapshot.files.size() - 1)
                           : ""));
  }
  return code;
}

}  // namespace holdfast::ctl
