#include "ctl/convert.hpp"

#include "config/load.hpp"
#include "config/report.hpp"
#include "config/toml/write.hpp"
#include "config/write.hpp"
#include "ctl/client.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace holdfast::ctl {
namespace {

using config::Syntax;

// Prints only what keeps the conversion from being done: `check` is for the rest.
void print_errors(const config::Diagnostics& diagnostics) {
  for (const config::Diagnostic& one : diagnostics.all()) {
    if (one.severity == config::Severity::error) remark(config::render(one));
  }
}

int write_out(const ConvertRequest& request, const std::string& text) {
  if (request.out.empty()) {
    say(text);
    return kDone;
  }
  std::FILE* const file = std::fopen(request.out.c_str(), "we");
  bool written = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file != nullptr) written = std::fclose(file) == 0 && written;
  if (written) return kDone;
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
  const int code = write_out(request, text);
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
