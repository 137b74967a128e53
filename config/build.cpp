#include "config/build.hpp"

#include "config/builder.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

void apply_root(BuildContext& context, std::string_view word, void (*apply)(const Args& args)) {
  const KeywordId wanted = *Schema::instance().find(Block::root, word);
  std::vector<Value> values;
  for (std::uint32_t at = context.tree.first; at != kNoStatement;
       at = context.tree.statements[at].next) {
    const Statement& statement = context.tree.statements[at];
    if (statement.keyword != wanted) continue;
    if (!prepare_statement(context, statement, 0, values)) continue;
    apply(Args(context, statement, values));
  }
}

std::size_t count_root(const Tree& tree, std::string_view word) {
  const KeywordId wanted = *Schema::instance().find(Block::root, word);
  std::size_t count = 0;
  for (std::uint32_t at = tree.first; at != kNoStatement; at = tree.statements[at].next)
    count += tree.statements[at].keyword == wanted ? 1 : 0;
  return count;
}

// The user of a command is rarely an option, a path or a state: that is an argument somebody forgot
// to quote.
bool looks_like_argument(std::string_view user) {
  return user.empty() || user.front() == '-' || user.front() == '/' || user == "MASTER" ||
         user == "BACKUP" || user == "FAULT" || user == "STOP";
}

}  // namespace

bool mentions(const BuildContext& context, const Statement& block, std::string_view word) {
  const Schema& schema = Schema::instance();
  for (std::uint32_t at = block.first_child; at != kNoStatement;
       at = context.tree.statements[at].next) {
    if (schema[schema.canonical(context.tree.statements[at].keyword)].name == word) return true;
  }
  return false;
}

bool prepare_statement(BuildContext& context, const Statement& statement, std::uint32_t block,
                       std::vector<Value>& values) {
  const Schema& schema = Schema::instance();
  const Keyword& keyword = schema[statement.keyword];
  if (!keyword.notice.empty())
    context.reporter.warn_once(statement.range, std::string(keyword.notice));
  if (!keyword.repeatable) {
    const KeywordId id = schema.canonical(statement.keyword);
    const bool again = context.seen_in[id] == block;
    context.seen_in[id] = block;
    const bool first_counts = keyword.args[0].type == ArgType::script;
    if (again) {
      context.reporter.warning(
          statement.range,
          fmt::format("'{}' is given more than once in this block; the {} one counts", keyword.name,
                      first_counts ? "first" : "last"));
      if (first_counts) return false;
    }
  }
  return decode_args(keyword, statement, context.tree.args(statement), context.reporter, values);
}

std::optional<Statement> take_option(BuildContext& context, Block line,
                                     std::span<const Word>& words) {
  const Schema& schema = Schema::instance();
  const Word& word = words.front();
  const std::optional<KeywordId> id = word.quoted ? std::nullopt : schema.find(line, word.text);
  if (!id) {
    const std::string_view near = nearest_word(word.text, schema.words_of(line));
    context.reporter.error(word.range,
                           fmt::format("unknown option '{}' in '{}'", word.text, name_of(line)),
                           near.empty() ? std::string() : fmt::format("did you mean '{}'?", near));
    return std::nullopt;
  }
  std::size_t count = 0;
  const auto next_is_option = [&] { return schema.find(line, words[count + 1].text).has_value(); };
  for (const Arg& arg : schema[*id].args) {
    if (arg.type == ArgType::none) break;
    do {
      if (count + 1 >= words.size() || ((arg.optional || arg.repeated) && next_is_option())) break;
      ++count;
    } while (arg.repeated);
  }
  Statement option;
  option.keyword = *id;
  option.range = word.range;
  option.first_word = static_cast<std::uint32_t>(&word - context.tree.words.data()) + 1;
  option.word_count = static_cast<std::uint32_t>(count);
  words = words.subspan(count + 1);
  return option;
}

Script Args::script() const {
  Script script;
  script.argv = split_command(values_[0].text);
  if (has(1)) script.user = text(1);
  if (has(2)) script.group = text(2);
  script.location = location();
  if (has(1) && looks_like_argument(script.user)) {
    context_.reporter.warning(
        values_[1].range,
        fmt::format("'{}' is taken for the user who runs the command", script.user),
        "put the command and its arguments between double quotes");
  }
  return script;
}

Model build_model(const Tree& tree, Reporter& reporter) {
  Model model;
  BuildContext context{
      .tree = tree, .reporter = reporter, .model = model, .next_block = 1, .seen_in = {}};
  context.seen_in.resize(Schema::instance().all().size(), 0);
  apply_root(context, "global_defs",
             [](const Args& args) { build_globals(args.context().model.globals, args); });
  model.instances.reserve(count_root(tree, "vrrp_instance"));
  model.services.reserve(count_root(tree, "virtual_server"));
  apply_root(context, "vrrp_instance", build_instance);
  apply_root(context, "virtual_server", build_service);
  return model;
}

std::vector<KeywordId> words_without_meaning() {
  const Schema& schema = Schema::instance();
  std::vector<KeywordId> missing;
  for (std::size_t i = 0; i < schema.all().size(); ++i) {
    const auto id = static_cast<KeywordId>(i);
    const Keyword& keyword = schema[id];
    const bool handled_elsewhere = keyword.effect == Effect::known || !keyword.alias_of.empty() ||
                                   keyword.block == Block::root;
    if (handled_elsewhere || globals_know(id) || instances_know(id) || services_know(id) ||
        checks_know(id))
      continue;
    missing.push_back(id);
  }
  return missing;
}

}  // namespace holdfast::config
