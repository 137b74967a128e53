#include "config/load.hpp"

#include "config/accounts.hpp"
#include "config/assemble.hpp"
#include "config/builders/build.hpp"
#include "config/keepalived/parse.hpp"
#include "config/secrets.hpp"
#include "config/toml/read.hpp"
#include "config/validate/validate.hpp"

#include <fmt/format.h>

#include <set>
#include <sys/utsname.h>

namespace holdfast::config {
namespace {

Loaded failed(const std::string& file, std::string message, std::string help = {}) {
  Loaded loaded;
  Diagnostic diagnostic;
  diagnostic.file = file;
  diagnostic.message = std::move(message);
  diagnostic.help = std::move(help);
  loaded.diagnostics.add(std::move(diagnostic));
  loaded.snapshot.files.push_back(file);
  return loaded;
}

// The host's name up to its first dot.
std::string host_name() {
  utsname host{};
  if (uname(&host) != 0) return {};
  const std::string_view name = host.nodename;
  return std::string(name.substr(0, name.find('.')));
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// What the parser finds on a line that could not be expanded follows from that: one mistake, one
// finding, of the greater severity.
void append_new(const Diagnostics& from_parser, Diagnostics& diagnostics) {
  std::set<std::pair<std::string, std::uint32_t>> broken_lines;
  for (const Diagnostic& one : diagnostics.all()) {
    if (one.severity != Severity::note) broken_lines.emplace(one.file, one.line);
  }
  for (const Diagnostic& one : from_parser.all()) {
    if (!broken_lines.contains({one.file, one.line})) {
      diagnostics.add(one);
    } else if (one.severity == Severity::error) {
      diagnostics.promote(one.file, one.line);
    }
  }
}

Loaded failed_as_empty(const std::string& name) {
  return failed(name, fmt::format("the configuration {} is empty", name),
                "write at least one vrrp_instance or virtual_server");
}

// With the model and the findings of its snapshot.
Loaded parsed(Loaded loaded) {
  Parsed fresh = parse_snapshot(loaded.snapshot);
  loaded.model = std::move(fresh.model);
  append_new(fresh.diagnostics, loaded.diagnostics);
  hide_secrets(loaded.snapshot.text, loaded.diagnostics);
  loaded.diagnostics.sort_by_place();
  return loaded;
}

// Trees that are large go to `finished`, unless that is nullptr; the last one is returned.
Tree read_tree(const Snapshot& snapshot, Reporter& reporter, const TreeSink* finished) {
  Tree tree;
  const auto read = [&](std::size_t begin, std::size_t end, Syntax syntax) {
    const TextRange range{static_cast<std::uint32_t>(begin),
                          static_cast<std::uint32_t>(end - begin)};
    if (syntax == Syntax::toml)
      read_toml(snapshot, range, reporter, tree);
    else
      keepalived::parse(snapshot, range, reporter, tree, finished);
  };
  if (snapshot.parts.empty()) read(0, snapshot.text.size(), Syntax::keepalived);
  for (std::size_t i = 0; i < snapshot.parts.size(); ++i) {
    const bool last = i + 1 == snapshot.parts.size();
    read(snapshot.parts[i].offset, last ? snapshot.text.size() : snapshot.parts[i + 1].offset,
         snapshot.parts[i].syntax);
  }
  return tree;
}

// Nullopt when what was said of global_defs is not so.
std::optional<Parsed> parse_snapshot(const Snapshot& snapshot, GlobalsStand globals) {
  Parsed parsed;
  Reporter reporter(snapshot, parsed.diagnostics);
  ModelBuilder builder(snapshot.text.size(), globals, reporter);
  const TreeSink take = [&builder](Tree& tree) { builder.take(tree); };
  Tree last = read_tree(snapshot, reporter, &take);
  std::optional<Model> model = builder.finish(std::move(last));
  if (!model) return std::nullopt;
  parsed.model = *std::move(model);
  parsed.model.files.names = snapshot.files;
  validate(parsed.model, reporter);
  if (!snapshot.accounts.empty()) {
    parsed.model.accounts = snapshot.accounts;
    report_accounts(parsed.model, reporter);
  }
  hide_secrets(snapshot.text, parsed.diagnostics);
  parsed.diagnostics.sort_by_place();
  return parsed;
}

}  // namespace

Loaded load_files(const std::string& path, const LoadOptions& options) {
  core::Result<std::string> text = read_text_file(path);
  if (!text) return failed(path, text.error().message);
  if (is_blank(*text)) return failed_as_empty(path);
  Loaded loaded;
  loaded.snapshot =
      assemble(*std::move(text), path,
               options.config_id.empty() ? LoadOptions{host_name()} : options, loaded.diagnostics);
  return parsed(std::move(loaded));
}

Loaded load_text(std::string_view text, const std::string& name, const LoadOptions& options) {
  if (is_blank(text)) return failed_as_empty(name);
  Loaded loaded;
  loaded.snapshot = assemble(std::string(text), name, options, loaded.diagnostics);
  return parsed(std::move(loaded));
}

core::Result<Parsed> parse_snapshot_bytes(std::string_view bytes) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const auto snapshot = from_bytes({first, bytes.size()});
  if (!snapshot) return snapshot.error();
  return parse_snapshot(*snapshot);
}

core::Result<Model> usable_model(std::string_view bytes) {
  auto parsed = parse_snapshot_bytes(bytes);
  if (!parsed) return parsed.error();
  if (parsed->diagnostics.has_errors())
    return core::fail("the configuration has errors:\n{}", render_text(parsed->diagnostics));
  return std::move(parsed->model);
}

Tree read_tree(const Snapshot& snapshot, Reporter& reporter) {
  return read_tree(snapshot, reporter, nullptr);
}

Parsed parse_snapshot(const Snapshot& snapshot) {
  std::optional<Parsed> parsed = parse_snapshot(snapshot, GlobalsStand::first);
  if (!parsed) parsed = parse_snapshot(snapshot, GlobalsStand::anywhere);
  return *std::move(parsed);
}

std::vector<std::string> interfaces_named_in(const Model& model) {
  std::set<std::string> names;
  for (const VrrpInstance& instance : model.instances) {
    names.insert(instance.interface);
    for (const VirtualAddress& address : instance.virtual_addresses)
      names.insert(address.interface);
    for (const VirtualAddress& address : instance.virtual_addresses_excluded)
      names.insert(address.interface);
  }
  names.erase("");
  return {names.begin(), names.end()};
}

}  // namespace holdfast::config
