#include "config/builders/build.hpp"

#include "config/text.hpp"
#include "config/words/tracking.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace {

KeywordId id_of(std::string_view root_word) {
  return *Schema::instance().find(Block::root, root_word);
}

std::size_t count_root(const Tree& tree, std::string_view word) {
  const KeywordId wanted = id_of(word);
  std::size_t count = 0;
  for (std::uint32_t at = tree.first; at != kNoStatement; at = tree.statements[at].next)
    count += tree.statements[at].keyword == wanted ? 1 : 0;
  return count;
}

std::size_t count_root(const Trees& trees, std::string_view word) {
  std::size_t count = 0;
  for (const Tree& tree : trees) count += count_root(tree, word);
  return count;
}

// Calls `apply` for the statements of one tree's top level with this word. True when there are no
// others.
bool apply_tree(BuildContext& context, KeywordId wanted, void (*apply)(const Args& args)) {
  bool only = true;
  Values values;
  for (std::uint32_t at = context.tree.first; at != kNoStatement;
       at = context.tree.statements[at].next) {
    const Statement& statement = context.tree.statements[at];
    if (Schema::instance().canonical(statement.keyword) != wanted) {
      only = false;
    } else if (prepare_statement(context, statement, kRootBlock, values)) {
      apply(Args(context, statement, values));
    }
  }
  return only;
}

// The user of a command is rarely an option, a path or a state: that is an argument somebody forgot
// to quote.
bool looks_like_argument(std::string_view user) {
  const std::string word = folded(user);
  return user.empty() || user.front() == '-' || user.front() == '/' || word == "master" ||
         word == "backup" || word == "fault" || word == "stop";
}

// How many words the option at the front takes, itself included.
std::size_t extent_of(Block line, std::span<const Word> words) {
  const Schema& schema = Schema::instance();
  const auto is_option = [&](Block block, std::size_t at) {
    return !words[at].quoted && schema.find(block, words[at].text).has_value();
  };
  const Keyword& keyword = schema[*schema.find(line, words.front().text)];
  std::size_t count = 1;
  for (std::size_t at = 0; at < kMaxArgs && count < words.size(); ++at) {
    const Arg& arg = keyword.args[at];
    if (arg.type == ArgType::none) break;
    if (arg.type == ArgType::options) {
      while (count < words.size() && is_option(arg.line, count))
        count += extent_of(arg.line, words.subspan(count));
      continue;
    }
    if (is_left_out(keyword, at, words[count].text)) continue;
    const bool must_be = !arg.optional || arg.type == ArgType::choice;
    if (must_be || !is_option(line, count)) ++count;
    while (arg.repeated && count < words.size() && !is_option(line, count)) ++count;
  }
  return count;
}

}  // namespace

void apply_root(BuildContext& context, std::string_view word, void (*apply)(const Args& args)) {
  const KeywordId wanted = *Schema::instance().find(Block::root, word);
  for (const Tree& tree : context.trees) {
    BuildContext here = context.at(tree);
    apply_tree(here, wanted, apply);
  }
}

bool mentions(const BuildContext& context, const Statement& block, std::string_view word) {
  const Schema& schema = Schema::instance();
  for (std::uint32_t at = block.first_child; at != kNoStatement;
       at = context.tree.statements[at].next) {
    if (schema[schema.canonical(context.tree.statements[at].keyword)].name == word) return true;
  }
  return false;
}

bool prepare_statement(BuildContext& context, const Statement& statement, std::uint32_t block,
                       Values& values) {
  const Schema& schema = Schema::instance();
  const Keyword& keyword = schema[statement.keyword];
  if (!keyword.notice.empty())
    context.reporter.hint_once(statement.range, std::string(keyword.notice));
  else if (keyword.effect == Effect::inert || keyword.effect == Effect::checked)
    context.reporter.hint_once(statement.range,
                               fmt::format("accepted, without effect: '{}'", keyword.name));
  if (!keyword.repeatable) {
    const KeywordId id = schema.canonical(statement.keyword);
    const bool again = context.seen_in[id] == block;
    context.seen_in[id] = block;
    const bool first_counts = keyword.args[0].type == ArgType::script;
    if (again) {
      context.reporter.warning(
          statement.range,
          fmt::format(
              "'{}' is given more than once {}; the {} one counts", keyword.name,
              is_list(keyword.block) || is_line(keyword.block) ? "on this line" : "in this block",
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
    context.reporter.warning(
        word.range,
        fmt::format("unknown option '{}' in '{}': this line is left out", word.text, name_of(line)),
        near.empty() ? std::string() : fmt::format("did you mean '{}'?", near));
    return std::nullopt;
  }
  const std::size_t count = extent_of(line, words);
  Statement option;
  option.keyword = *id;
  option.range = word.range;
  option.first_word = static_cast<std::uint32_t>(&word - context.tree.words.data()) + 1;
  option.word_count = static_cast<std::uint32_t>(count - 1);
  words = words.subspan(count);
  return option;
}

void read_rows(BuildContext& context, std::uint32_t first, void* object) {
  const Schema& schema = Schema::instance();
  const std::uint32_t block = context.next_block++;
  Values values;
  for (std::uint32_t at = first; at != kNoStatement; at = context.tree.statements[at].next) {
    const Statement& statement = context.tree.statements[at];
    const Meaning& meaning = schema[schema.canonical(statement.keyword)].meaning;
    if (!prepare_statement(context, statement, block, values) || meaning.read == nullptr) continue;
    meaning.read(object, Args(context, statement, values));
  }
}

void inherit_rows(Block block, void* object, const Globals& globals) {
  const Schema& schema = Schema::instance();
  for (const KeywordId id : schema.heirs_of(block)) schema[id].meaning.inherit(object, globals);
}

bool read_line_rows(BuildContext& context, Block line, std::span<const Word> words, void* object) {
  const std::uint32_t block = context.next_block++;
  while (!words.empty()) {
    if (!read_option_row(context, line, block, words, object)) return false;
  }
  return true;
}

bool read_option_row(BuildContext& context, Block line, std::uint32_t block,
                     std::span<const Word>& words, void* object) {
  const Schema& schema = Schema::instance();
  Values values;
  const std::optional<Statement> option = take_option(context, line, words);
  if (!option || !prepare_statement(context, *option, block, values)) return false;
  const Meaning& meaning = schema[schema.canonical(option->keyword)].meaning;
  if (meaning.read != nullptr) meaning.read(object, Args(context, *option, values));
  return true;
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

ModelBuilder::ModelBuilder(std::size_t text_size, GlobalsStand globals, Reporter& reporter)
    : globals_(globals),
      text_size_(text_size),
      reporter_(reporter),
      next_block_(kRootBlock + 1),
      seen_in_(Schema::instance().all().size(), 0) {}

BuildContext ModelBuilder::context(const Tree& tree) {
  return {tree, trees_, reporter_, model_, next_block_, seen_in_};
}

void ModelBuilder::take(Tree& tree) {
  globals_came_late_ =
      globals_came_late_ || (globals_are_built_ && count_root(tree, "global_defs") != 0);
  trees_.push_back(std::move(tree));
  tree = Tree();
  if (globals_ == GlobalsStand::anywhere || globals_came_late_) return;
  BuildContext context = this->context(trees_.back());
  if (!globals_are_built_) build_globals(context);
  globals_are_built_ = true;
  if (model_.services.empty()) reserve_services(trees_.back());
  if (apply_tree(context, id_of("virtual_server"), build_service)) {
    tree = std::move(trees_.back());
    trees_.pop_back();
    tree.clear();
  }
  first_without_services_ = trees_.size();
}

/// Bytes: "virtual_server fwmark 1 { }".
constexpr std::size_t kShortestService = 24;

// Room for what the whole text has when it goes on like this tree.
void ModelBuilder::reserve_services(const Tree& tree) {
  std::uint32_t first = tree.first;
  while (first != kNoStatement && tree.statements[first].keyword != id_of("virtual_server"))
    first = tree.statements[first].next;
  if (first == kNoStatement) return;
  const std::size_t begin = tree.statements[first].range.offset;
  const std::size_t read =
      std::max(tree.statements.back().range.offset - begin + 1, kShortestService);
  const std::size_t services = count_root(tree, "virtual_server");
  const std::size_t rest = text_size_ - begin;
  model_.services.reserve(std::min(services * rest / read, rest / kShortestService) + services);
}

std::optional<Model> ModelBuilder::finish(Tree last) {
  const bool late = globals_are_built_ && count_root(last, "global_defs") != 0;
  if (globals_came_late_ || late) return std::nullopt;
  trees_.push_back(std::move(last));
  const Tree none;
  BuildContext context = this->context(none);
  if (!globals_are_built_) build_globals(context);
  build_statics(context);
  model_.instances.reserve(count_root(trees_, "vrrp_instance"));
  model_.services.reserve(model_.services.size() + count_root(trees_, "virtual_server"));
  apply_root(context, "vrrp_instance", build_instance);
  apply_root(context, "virtual_server_group", build_service_group);
  for (std::size_t i = first_without_services_; i < trees_.size(); ++i) {
    BuildContext here = context.at(trees_[i]);
    if (apply_tree(here, id_of("virtual_server"), build_service)) trees_[i] = Tree();
  }
  apply_root(context, "vrrp_sync_group", build_sync_group);
  apply_root(context, "vrrp_script", build_script);
  apply_root(context, "vrrp_track_process", build_track_process);
  apply_root(context, "track_file", build_track_file);
  apply_root(context, "bfd_instance", build_bfd_instance);
  apply_root(context, "track_group", build_track_group);
  apply_root(context, "garp_group", build_garp_group);
  resolve_names(context);
  apply_root(context, "SSL", build_tls_identity);
  return std::move(model_);
}

std::vector<KeywordId> words_without_meaning() {
  const Schema& schema = Schema::instance();
  std::vector<KeywordId> missing;
  for (std::size_t i = 0; i < schema.all().size(); ++i) {
    const auto id = static_cast<KeywordId>(i);
    const Keyword& keyword = schema[id];
    const bool handled_elsewhere = keyword.effect == Effect::checked || !keyword.alias_of.empty() ||
                                   keyword.block == Block::root || keyword.meaning.read != nullptr;
    if (!handled_elsewhere) missing.push_back(id);
  }
  return missing;
}

}  // namespace holdfast::config
