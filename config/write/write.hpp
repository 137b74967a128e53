// Model → words: the reverse of build.hpp. A document is what every form of a configuration is
// printed from (keepalived syntax, TOML, JSON), and what two objects are compared by.
#pragma once

#include "config/model.hpp"
#include "config/schema/schema.hpp"
#include "config/tree.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::config {

/// One statement or, in a list block, one entry. Words of aliases are written as the word they
/// stand for.
struct Node {
  KeywordId keyword = 0;  ///< meaningless for an entry
  bool entry = false;
  std::vector<std::string> args;  ///< without quotes
  std::vector<Node> body;

  bool operator==(const Node&) const = default;
};

using Document = std::vector<Node>;

enum class Detail : std::uint8_t {
  changed,  ///< what differs from the default: enough to read the same model again
  all,      ///< every value that has one
};

/// The whole model; reading the result again gives the same model.
[[nodiscard]] Document document_of(const Model& model, Detail detail = Detail::changed);
/// The statements of a source as they were written, without their defaults.
[[nodiscard]] Document document_of(const Tree& tree);

// Single objects, each as its statement. Instances inherit from globals, so these are needed to
// tell what differs.
[[nodiscard]] Document document_of(const Globals& globals, Detail detail);
[[nodiscard]] Node document_of(const VrrpInstance& instance, const Globals& globals, Detail detail);
[[nodiscard]] Node document_of(const SyncGroup& group, const Globals& globals, Detail detail);
[[nodiscard]] Node document_of(const VrrpScript& script, Detail detail);
[[nodiscard]] Node document_of(const TrackProcess& process, Detail detail);
[[nodiscard]] Node document_of(const TrackFile& file, Detail detail);
[[nodiscard]] Node document_of(const BfdInstance& bfd, Detail detail);
[[nodiscard]] Node document_of(const TrackGroup& group);
[[nodiscard]] Node document_of(const GarpGroup& group);
[[nodiscard]] Node document_of(const VirtualServerGroup& group);
[[nodiscard]] Node document_of(const VirtualServer& service, const Globals& globals, Detail detail);
[[nodiscard]] Node document_of(const RealServer& server, const VirtualServer& service,
                               const Globals& globals, Detail detail);
[[nodiscard]] Node document_of(const TlsIdentity& tls);
// Entries of their list blocks.
[[nodiscard]] Node document_of(const VirtualAddress& address);
[[nodiscard]] Node document_of(const Route& route);
[[nodiscard]] Node document_of(const Rule& rule);

/// False after an error for each word that the syntax has no way to write: a quotation mark or
/// ${NAME} in keepalived's, bytes that are not UTF-8 in TOML.
[[nodiscard]] bool can_be_written(const Tree& tree, Syntax syntax, Reporter& reporter);

/// keepalived syntax, indented, words quoted where they have to be.
[[nodiscard]] std::string print_keepalived(const Document& document);

/// Appends the statements of one block; the words must be rows of that block. A value that equals
/// its fallback is left out with Detail::changed.
class Writer {
 public:
  Writer(Block block, Document& out, Detail detail) : block_(block), out_(out), detail_(detail) {}

  /// The bare word, when `on`.
  void flag(std::string_view word, bool on);
  /// WORD true, WORD false.
  void boolean(std::string_view word, bool value, bool fallback);
  void text(std::string_view word, std::string_view value, std::string_view fallback = {});
  void number(std::string_view word, std::int64_t value, std::int64_t fallback);
  /// Seconds, with as many decimals as are needed.
  void seconds(std::string_view word, core::Duration value, core::Duration fallback);
  void milliseconds(std::string_view word, core::Duration value, core::Duration fallback);
  void address(std::string_view word, const std::optional<core::IpAddress>& value);
  /// WORD "COMMAND LINE" [USER [GROUP]].
  void script(std::string_view word, const Rare<Script>& value);
  void statement(std::string_view word, std::vector<std::string> args);
  /// A statement with a body, which the caller writes into; references stay valid until the next
  /// statement of this block is written.
  [[nodiscard]] Node& block(std::string_view word, std::vector<std::string> args = {});
  /// An entry of a list block.
  void entry(std::vector<std::string> words);

  [[nodiscard]] Detail detail() const { return detail_; }
  /// A writer of the same block that leaves out nothing.
  [[nodiscard]] Writer always() const { return {block_, out_, Detail::all}; }

 private:
  [[nodiscard]] bool wanted(bool differs) const { return differs || detail_ == Detail::all; }

  Block block_;
  Document& out_;  // borrowed: a writer lives inside one function
  Detail detail_;
};

/// A writer for the body of a statement that `block` made.
[[nodiscard]] Writer body_of(Node& node, Detail detail);
/// All words of a block that differ from `standard`, an object as it is when its block says
/// nothing. T is what the rows of the block are written from.
void write_rows(Block block, const void* object, const void* standard, Writer& out);
template <class T>
void write_words(Block block, const T& object, const T& standard, Writer& out) {
  write_rows(block, &object, &standard, out);
}
/// The same as the option words of a line, in the order of the table.
[[nodiscard]] std::vector<std::string> words_of_line(Block line, const void* object,
                                                     const void* standard);
/// A node that opens a block: its word must be a row of `block`.
[[nodiscard]] Node node(Block block, std::string_view word, std::vector<std::string> args = {});
/// A block of the top level, as a statement: its words that differ from `standard`.
template <class T>
[[nodiscard]] Node block_of(std::string_view word, std::vector<std::string> args, const T& object,
                            const T& standard, Detail detail) {
  Node made = node(Block::root, word, std::move(args));
  Writer out = body_of(made, detail);
  write_words(*Schema::instance()[made.keyword].opens, object, standard, out);
  return made;
}
/// A command line that split_command() takes apart again.
[[nodiscard]] std::string join_command(const std::vector<std::string>& argv);

}  // namespace holdfast::config
