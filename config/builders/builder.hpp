// What those who read blocks share: the context, the arguments of a statement, and the way from the
// words of a block to its object.
#pragma once

#include "config/builders/build.hpp"
#include "config/schema/decode.hpp"

#include <algorithm>
#include <utility>

namespace holdfast::config {

/// The number of the top level among the blocks of one build; 0 is none.
inline constexpr std::uint32_t kRootBlock = 1;

/// One build, at one of its trees. Borrows everything: it lives inside build_model.
struct BuildContext {
  const Tree& tree;  ///< the statement that is being built and its body are here
  const Trees& trees;
  Reporter& reporter;
  Model& model;
  std::uint32_t& next_block;
  std::vector<std::uint32_t>& seen_in;  ///< by keyword: the block that had it last

  [[nodiscard]] BuildContext at(const Tree& other) const {
    return {other, trees, reporter, model, next_block, seen_in};
  }
};

/// The decoded arguments of one statement, and the way to its body.
class Args {
 public:
  Args(BuildContext& context, const Statement& statement, std::span<const Value> values)
      : context_(context), statement_(statement), values_(values) {}

  [[nodiscard]] bool has(std::size_t i) const { return i < values_.size(); }
  [[nodiscard]] std::size_t size() const { return values_.size(); }
  [[nodiscard]] const Value& value(std::size_t i) const { return values_[i]; }
  [[nodiscard]] std::string text(std::size_t i) const { return std::string(values_[i].text); }
  [[nodiscard]] std::int64_t number(std::size_t i) const { return values_[i].number; }
  template <class T>
  [[nodiscard]] T as(std::size_t i) const {
    return static_cast<T>(values_[i].number);
  }
  [[nodiscard]] core::Duration duration(std::size_t i) const {
    return core::Duration(values_[i].number);
  }
  /// A flag with an optional boolean behind it: the bare word means true.
  [[nodiscard]] bool flag() const { return values_.empty() || values_[0].number != 0; }
  [[nodiscard]] Script script() const;
  [[nodiscard]] const Statement& statement() const { return statement_; }
  [[nodiscard]] const Keyword& row() const { return Schema::instance()[statement_.keyword]; }
  [[nodiscard]] BuildContext& context() const { return context_; }
  [[nodiscard]] SourceLocation location() const {
    return context_.reporter.locate(statement_.range.offset);
  }

 private:
  BuildContext& context_;
  const Statement& statement_;
  std::span<const Value> values_;
};

/// A count of which keepalived takes 0 as 1.
[[nodiscard]] inline std::uint32_t at_least_once(const Args& args) {
  return std::max(args.as<std::uint32_t>(0), 1U);
}

/// True when the block names this word, even with a value that was refused: then its absence is not
/// a second mistake.
[[nodiscard]] bool mentions(const BuildContext& context, const Statement& block,
                            std::string_view word);

/// Checks and announces one statement: notices of old or inert words, repetitions, arguments.
/// False: not to be applied.
[[nodiscard]] bool prepare_statement(BuildContext& context, const Statement& statement,
                                     std::uint32_t block, Values& values);

/// One option word of a line with the words behind it, those of its own options included, as a
/// statement of its own. Takes it from the front of `words`; nullopt after an error was reported
/// (unknown option).
[[nodiscard]] std::optional<Statement> take_option(BuildContext& context, Block line,
                                                   std::span<const Word>& words);

// What the rows of a block mean, applied to an object of it. `object` is what the rows of the block
// know; read_words() and its like take a draft for its object.
void read_rows(BuildContext& context, std::uint32_t first, void* object);
bool read_line_rows(BuildContext& context, Block line, std::span<const Word> words, void* object);
bool read_option_row(BuildContext& context, Block line, std::uint32_t block,
                     std::span<const Word>& words, void* object);

template <class T>
[[nodiscard]] void* object_of(T& draft) {
  if constexpr (requires { typename T::Object; })
    return static_cast<typename T::Object*>(&draft);
  else
    return &draft;
}
/// Applies the statements from `first` on, in their order.
template <class T>
void read_words(BuildContext& context, std::uint32_t first, T& target) {
  read_rows(context, first, object_of(target));
}
/// The same for the body of the statement that `args` belongs to.
template <class T>
void read_body(const Args& args, T& target) {
  read_words(args.context(), args.statement().first_child, target);
}
/// Applies the option words of a line, in their order; the rows are those of `line`. False after an
/// error was reported.
template <class T>
bool read_line(BuildContext& context, Block line, std::span<const Word> words, T& target) {
  return read_line_rows(context, line, words, object_of(target));
}
/// The first of them only; takes it from the front of `words`. `block` is the line's own number.
template <class T>
bool read_option(BuildContext& context, Block line, std::uint32_t block,
                 std::span<const Word>& words, T& target) {
  return read_option_row(context, line, block, words, object_of(target));
}
/// Gives an object what the words of its block have from global_defs.
void inherit_rows(Block block, void* object, const Globals& globals);
template <class T>
[[nodiscard]] T inherited(Block block, const Globals& globals) {
  T made;
  inherit_rows(block, object_of(made), globals);
  return made;
}
/// The object of a block that the statement of the top level opens: its name, its place, what it
/// inherits.
template <class T>
[[nodiscard]] T named(const Args& args) {
  T made = inherited<T>(*args.row().opens, args.context().model.globals);
  made.name = args.text(0);
  made.location = args.location();
  return made;
}
/// Calls `read(context, entry)` for each entry of a list block.
template <class Read>
void for_each_entry(const Args& args, const Read& read) {
  BuildContext& context = args.context();
  for (std::uint32_t at = args.statement().first_child; at != kNoStatement;
       at = context.tree.statements[at].next)
    read(context, context.tree.statements[at]);
}

/// Calls `apply` for every statement of the top level with this word.
void apply_root(BuildContext& context, std::string_view word, void (*apply)(const Args& args));

// The builders of the top-level blocks.
void build_globals(BuildContext& context);
void build_statics(BuildContext& context);
void build_instance(const Args& args);
void build_service(const Args& args);
void build_service_group(const Args& args);
void build_tls_identity(const Args& args);

/// Values that services hand down to servers, and servers to checkers, where these say nothing
/// themselves.
struct CheckDefaults {
  std::optional<core::Duration> delay_loop;
  std::optional<core::Duration> delay_before_retry;
  std::optional<core::Duration> connect_timeout;
  std::optional<core::Duration> warmup;
  std::optional<std::uint32_t> retry;
  std::string virtualhost;
};

/// Builds a checker from its statement and appends it to the server.
void build_check(BuildContext& context, const Statement& statement, const CheckDefaults& defaults,
                 RealServer& server);

}  // namespace holdfast::config
