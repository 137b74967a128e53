#include "ctl/check.hpp"

#include "config/load.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace holdfast::ctl {
namespace {

void say(std::string_view words) {
  (void)std::fwrite(words.data(), 1, words.size(), stdout);
}

}  // namespace

int check(const CheckRequest& request) {
  int code = kDone;
  for (const std::string& file : request.files) {
    const config::Loaded loaded = config::load_files(file, {request.config_id});
    if (request.format == Format::json) {
      say(config::render_json(loaded.diagnostics) + "\n");
    } else {
      say(config::render_text(loaded.diagnostics));
      say(fmt::format("{}: {}\n", file, loaded.diagnostics.summary()));
    }
    if (loaded.diagnostics.has_errors()) code = kFailed;
  }
  return code;
}

}  // namespace holdfast::ctl
