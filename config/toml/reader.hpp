// The machine behind read.hpp: one table of TOML at a time, its members in the order of the text.
// Recursive, as deep as the blocks of the schema nest.
#pragma once

#include "config/toml/positions.hpp"
#include "config/tree.hpp"

#include <string>
#include <vector>

namespace holdfast::config {

class TomlReader {
 public:
  TomlReader(const Snapshot& snapshot, TextRange part, Reporter& reporter, Tree& tree);
  void read(const ::toml::table& root);

 private:
  // A member of a table, or one element of an array of tables.
  struct Member {
    std::string_view key;
    TextRange key_range;
    const ::toml::node* value = nullptr;
    bool element = false;
  };
  struct Parent {
    std::uint32_t statement = kNoStatement;
    std::uint32_t last_child = kNoStatement;
  };

  [[nodiscard]] std::vector<Member> members_of(const ::toml::table& table, Block block);
  [[nodiscard]] TextRange element_range(const Member& member);
  [[nodiscard]] static bool is_switch(const ::toml::node& value, const Keyword& keyword);
  void read_members(const ::toml::table& table, Block block, const Keyword* header, Parent& parent);
  void read_member(const Member& member, KeywordId id, Parent& parent);
  void read_block(const Member& member, KeywordId id, Parent& parent);
  void read_list(const Member& member, KeywordId id, Parent& parent);
  void read_entries(const ::toml::node& value, const Keyword& keyword, Parent& parent);
  void read_entry(const ::toml::node& value, const Keyword& keyword, Parent& parent);
  void read_word(const Member& member, KeywordId id, Parent& parent);
  void read_statement(const Member& member, KeywordId id, const ::toml::node& value,
                      Parent& parent);
  [[nodiscard]] bool push_header(const ::toml::table& table, const Keyword& keyword);
  [[nodiscard]] bool push_values(const ::toml::node& value, const Keyword& keyword);
  [[nodiscard]] bool push_named(const ::toml::table& table, const Keyword& keyword);
  [[nodiscard]] bool push_entry(const ::toml::table& table, const Keyword& keyword);
  /// `done`: keys that are no options.
  [[nodiscard]] bool push_options(const ::toml::table& table, Block line,
                                  std::span<const std::string_view> done = {});
  [[nodiscard]] bool push_scalar(const ::toml::node& value, const Keyword& keyword);
  [[nodiscard]] bool push_line(const ::toml::node& value, const Keyword& keyword);
  [[nodiscard]] bool push_service_header(const ::toml::table& table, const Keyword& keyword);
  /// `text` is part of the snapshot, or lives for ever.
  void push_word(std::string_view text, TextRange range);
  void push_made(std::string text, TextRange range);
  void push_statement(KeywordId id, TextRange range, std::uint32_t first_word, Parent& parent,
                      bool entry = false);
  /// After an error the word that was probably meant, unless `table` has it, too.
  [[nodiscard]] std::optional<KeywordId> find(const Member& member, Block block,
                                              const ::toml::table& table);
  [[nodiscard]] std::uint32_t next_word() const {
    return static_cast<std::uint32_t>(tree_.words.size());
  }

  const Schema& schema_;
  Reporter& reporter_;
  Tree& tree_;
  TomlPositions positions_;
};

}  // namespace holdfast::config
