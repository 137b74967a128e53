#include "ctl/check.hpp"

#include "config/compare/pair.hpp"
#include "config/load.hpp"
#include "config/secrets.hpp"
#include "config/write/json.hpp"
#include "ctl/client.hpp"
#include "ctl/online.hpp"
#include "runtime/accounts.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

namespace holdfast::ctl {
namespace {

using config::Diagnostics;
using config::Loaded;

struct Outcome {
  std::vector<Loaded> loaded;             // one a file
  Diagnostics pairs;                      // what does not match between the files
  bool compared = false;                  // at least one pair was
  std::vector<std::string> not_compared;  // why others were not

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
  [[nodiscard]] std::size_t hints() const {
    std::size_t sum = pairs.hints();
    for (const Loaded& one : loaded) sum += one.diagnostics.hints();
    return sum;
  }
};

void look_at_host(Loaded& loaded, const Target& target) {
  auto host = read_host_facts();
  if (!host) {
    config::Diagnostic problem;
    problem.severity = config::Severity::warning;
    problem.message = fmt::format("this host was not looked at: {}", host.error().message);
    loaded.diagnostics.add(std::move(problem));
    return;
  }
  if (const Reply vrrp = ask(target, "vrrp"); vrrp.status)
    host->held = held_addresses(*vrrp.status);
  Diagnostics found;
  check_online(
      loaded, *host,
      [](auto names) {
        return runtime::look_up_accounts(std::move(names), runtime::kAccountPatience);
      },
      found);
  config::hide_secrets(loaded.snapshot.text, found);
  loaded.diagnostics.append(found);
  loaded.diagnostics.sort_by_place();
}

// The name that chooses the @lines of a file: its own, or the one for all.
std::string id_of(const CheckRequest& request, std::size_t file) {
  const std::vector<std::string>& ids = request.config_ids;
  if (ids.empty()) return {};
  return ids.size() == 1 ? ids.front() : ids.at(file);
}

// What a file is called, so that one file for two directors is told apart.
std::string name_of(const CheckRequest& request, std::size_t file) {
  if (request.config_ids.size() < 2) return request.files[file];
  return fmt::format("{} ({})", request.files[file], id_of(request, file));
}

bool same_director(const CheckRequest& request, std::size_t one, std::size_t other) {
  std::error_code ignored;
  return id_of(request, one) == id_of(request, other) &&
         std::filesystem::equivalent(request.files[one], request.files[other], ignored);
}

// What was lost to an error would be missed a second time here: only whole files are compared.
void compare(const CheckRequest& request, Outcome& outcome) {
  const std::vector<Loaded>& loaded = outcome.loaded;
  if (loaded.size() < 2) return;
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    if (loaded[i].diagnostics.has_errors())
      outcome.not_compared.push_back(fmt::format("{} has errors", name_of(request, i)));
    for (std::size_t j = i + 1; j < loaded.size(); ++j) {
      if (loaded[i].diagnostics.has_errors() || loaded[j].diagnostics.has_errors()) continue;
      if (same_director(request, i, j)) {
        outcome.not_compared.push_back(
            fmt::format("{} is the same file twice", name_of(request, i)));
        continue;
      }
      Diagnostics found;
      config::compare_directors({loaded[i], name_of(request, i)}, {loaded[j], name_of(request, j)},
                                found);
      found.sort_by_place();
      outcome.pairs.append(found);
      outcome.compared = true;
    }
  }
}

std::string together_text(const Outcome& outcome) {
  if (outcome.not_compared.empty()) return outcome.pairs.summary();
  return fmt::format("{}not compared: {}",
                     outcome.compared ? outcome.pairs.summary() + "; " : std::string(),
                     fmt::join(outcome.not_compared, ", "));
}

std::string refused_by_strict(const Outcome& outcome) {
  std::string line = "refused, because of --strict";
  if (outcome.hints() == outcome.warnings())
    line += "; none of the warnings is a mistake, only old or without effect in this version";
  return line + "\n";
}

bool only_strict_refuses(const CheckRequest& request, const Outcome& outcome) {
  return request.strict && outcome.errors() == 0 && outcome.warnings() != 0;
}

void print_text(const CheckRequest& request, const Outcome& outcome) {
  const auto colour =
      request.colours == Colours::yes ? config::Colour::always : config::Colour::never;
  for (const Loaded& one : outcome.loaded) say(config::render_text(one.diagnostics, colour));
  say(config::render_text(outcome.pairs, colour));
  for (std::size_t i = 0; i < request.files.size(); ++i)
    say(fmt::format("{}: {}\n", name_of(request, i), outcome.loaded[i].diagnostics.summary()));
  if (request.files.size() > 1) say(fmt::format("together: {}\n", together_text(outcome)));
  if (only_strict_refuses(request, outcome)) say(refused_by_strict(outcome));
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
  const boost::json::array not_compared(outcome.not_compared.begin(), outcome.not_compared.end());
  say(
      fmt::format("{{\"errors\":{},\"warnings\":{},\"files\":[{}],\"together\":{},"
                  "\"not_compared\":{}}}\n",
                  outcome.errors(), outcome.warnings(), files, config::render_json(outcome.pairs),
                  boost::json::serialize(not_compared)));
}

}  // namespace

int check(const Target& target, const CheckRequest& request) {
  if (request.config_ids.size() > 1 && request.config_ids.size() != request.files.size()) {
    const std::size_t files = request.files.size();
    complain(fmt::format(
        "-i is there {} times for {} file{}: write it once for all of them, or once for each",
        request.config_ids.size(), files, files == 1 ? "" : "s"));
    return kFailed;
  }
  Outcome outcome;
  for (std::size_t i = 0; i < request.files.size(); ++i)
    outcome.loaded.push_back(config::load_files(request.files[i], {id_of(request, i)}));
  if (request.online) look_at_host(outcome.loaded.front(), target);
  compare(request, outcome);
  request.format == Format::json ? print_json(request, outcome) : print_text(request, outcome);
  const bool failed = outcome.errors() != 0 || only_strict_refuses(request, outcome);
  return failed ? kFailed : kDone;
}

}  // namespace holdfast::ctl
