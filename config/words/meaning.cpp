#include "config/words/meaning.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::config {
namespace {

void read_names(std::vector<std::string>& target, const Args& args) {
  for_each_entry(args, [&](BuildContext& context, const Statement& entry) {
    for (const Word& word : context.tree.args(entry)) {
      if (std::find(target.begin(), target.end(), word.text) == target.end())
        target.emplace_back(word.text);
      else
        context.reporter.warning(word.range, fmt::format("'{}' is listed twice", word.text),
                                 "remove one of them");
    }
  });
}

}  // namespace

void read_value(std::vector<std::string>& target, const Args& args) {
  if (args.row().opens) return read_names(target, args);
  target.clear();
  for (std::size_t i = 0; i < args.size(); ++i) target.push_back(args.text(i));
}

void write_value(Writer& out, const Keyword& row, const Rare<std::string>& value,
                 const Rare<std::string>&) {
  if (!value) return;
  out.statement(row.name, value->empty() ? std::vector<std::string>{} : std::vector{*value});
}

void write_value(Writer& out, const Keyword& row, const std::vector<std::uint16_t>& value,
                 const std::vector<std::uint16_t>&) {
  std::vector<std::string> words;
  for (const std::uint16_t number : value) words.push_back(fmt::format("{}", number));
  if (!words.empty()) out.statement(row.name, std::move(words));
}

void write_value(Writer& out, const Keyword& row, const std::vector<std::string>& value,
                 const std::vector<std::string>&) {
  if (value.empty()) return;
  if (!row.opens) return out.statement(row.name, value);
  Writer body = body_of(out.block(row.name), out.detail());
  for (const std::string& name : value) body.entry({name});
}

bool gives_group(const Args& args) {
  const Value& value = args.value(0);
  if (value.address.is_multicast()) return true;
  args.context().reporter.warning(
      value.range, fmt::format("'{}' must be a multicast address, not '{}': the default counts",
                               args.row().name, value.text));
  return false;
}

std::string_view choice_at(const Keyword& row, std::size_t index) {
  std::string_view words = row.args[0].words;
  while (index-- > 0) words.remove_prefix(std::min(words.find(' '), words.size() - 1) + 1);
  return words.substr(0, words.find(' '));
}

}  // namespace holdfast::config
