#include "ctl/check.hpp"

#include "config/json.hpp"
#include "config/load.hpp"
#include "config/pair.hpp"
#include "ctl/online.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace holdfast::ctl {
namespace {

using config::Diagnostics;
using config::Loaded;

void say(std::string_view words) {
  (void)std::fwrite(words.data(), 1, words.size(), stdout);
}

struct Outcome {
  std::vector<Loaded> loaded;  // one a file
  Diagnostics pairs;           // what does not match between the files

  [[nodiscard]] std::size_t errors() const {
    std::size_t sum = pairs.errors();
    for (const Loaded& one : loaded) sum += one.diagnostics.errors();
    return sum;
  }
  [[nodiscard]] std::size_t warnings() const {
    std::size_t sum = pairs.warnings();
    for (const Loaded& one : loaded) sum += one.diagnostics.warnings();
    return sum;
  }
};

void look_at_host(Loaded& loaded) {
  const auto host = read_host_facts();
  if (!host) {
    config::Diagnostic problem;
    problem.severity = config::Severity::warning;
    problem.message = fmt::format("this host was not looked at: {}", host.error().message);
    loaded.diagnostics.add(std::move(problem));
    return;
  }
  Diagnostics found;
  check_online(loaded, *host, found);
  loaded.diagnostics.append(found);
  loaded.diagnostics.sort_by_place();
}

// What was lost to an error would be missed a second time here: only whole files are compared.
void compare(const CheckRequest& request, Outcome& outcome) {
  const std::vector<Loaded>& loaded = outcome.loaded;
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    for (std::size_t j = i + 1; j < loaded.size(); ++j) {
      if (loaded[i].diagnostics.has_errors() || loaded[j].diagnostics.has_errors()) continue;
      Diagnostics found;
      config::compare_directors({loaded[i], request.files[i]}, {loaded[j], request.files[j]},
                                found);
      found.sort_by_place();
      outcome.pairs.append(found);
    }
  }
}

void print_text(const CheckRequest& request, const Outcome& outcome) {
  const auto colour =
      request.colours == Colours::yes ? config::Colour::always : config::Colour::never;
  for (const Loaded& one : outcome.loaded) say(config::render_text(one.diagnostics, colour));
  say(config::render_text(outcome.pairs, colour));
  for (std::size_t i = 0; i < request.files.size(); ++i)
    say(fmt::format("{}: {}\n", request.files[i], outcome.loaded[i].diagnostics.summary()));
  if (request.files.size() > 1) say(fmt::format("together: {}\n", outcome.pairs.summary()));
}

void print_json(const CheckRequest& request, const Outcome& outcome) {
  if (request.files.size() == 1) {
    const Loaded& only = outcome.loaded.front();
    say(config::render_json(only.diagnostics, only.model) + "\n");
    return;
  }
  std::string files;
  for (const Loaded& one : outcome.loaded)
    files += (files.empty() ? "" : ",") + config::render_json(one.diagnostics, one.model);
  say(fmt::format("{{\"errors\":{},\"warnings\":{},\"files\":[{}],\"together\":{}}}\n",
                  outcome.errors(), outcome.warnings(), files, config::render_json(outcome.pairs)));
}

}  // namespace

int check(const CheckRequest& request) {
  Outcome outcome;
  for (const std::string& file : request.files)
    outcome.loaded.push_back(config::load_files(file, {request.config_id}));
  if (request.online) look_at_host(outcome.loaded.front());
  compare(request, outcome);
  request.format == Format::json ? print_json(request, outcome) : print_text(request, outcome);
  const bool failed = outcome.errors() != 0 || (request.strict && outcome.warnings() != 0);
  return failed ? kFailed : kDone;
}

}  // namespace holdfast::ctl
