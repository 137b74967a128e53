#include "runtime/completion.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <string_view>
#include <vector>

namespace holdfast::runtime {
namespace {

// The tables of the script, one line an entry. What may follow has the key "NAME VERB …", and the
// values of an option "NAME VERB … --option"; of an argument, which has no name, a blank is left.
struct Tables {
  std::string words;
  std::string values;
};

constexpr std::string_view kScript = R"(
# Which verb the words before the cursor lead to, and what may come next.
_NAME_() {
  local current=${COMP_WORDS[COMP_CWORD]} verb=NAME last='' word i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    if [[ $word == '=' ]]; then continue; fi
    if [[ -n $last && $word != -* && -n ${_NAME_values[$verb $last]:-} ]]; then
      last=''
      continue
    fi
    last=$word
    if [[ $word != -* && -n ${_NAME_words[$verb $word]:-} ]]; then verb="$verb $word" last=''; fi
  done
  if [[ $current == '=' ]]; then current=''; fi
  local proposed=''
  if [[ $current != -* ]]; then
    proposed=${_NAME_values[$verb $last]:-${_NAME_values[$verb ]:-}}
  fi
  case $proposed in
    FILE) mapfile -t COMPREPLY < <(compgen -f -- "$current"); compopt -o filenames ;;
    DIR) mapfile -t COMPREPLY < <(compgen -d -- "$current"); compopt -o filenames ;;
    -) ;;
    '') mapfile -t COMPREPLY < <(compgen -W "${_NAME_words[$verb]:-}" -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$proposed" -- "$current") ;;
  esac
}
complete -F _NAME_ NAME
)";

// "FILE" and "DIR" as they are, "TEXT:{toml,keepalived}" as "toml keepalived"; whatever else is
// expected, nothing fits but "-".
std::string kind_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  if (type == "FILE" || type == "DIR") return type;
  const std::size_t open = type.find('{');
  if (open == std::string::npos) return "-";
  std::string words = type.substr(open + 1, type.find('}', open) - open - 1);
  for (char& letter : words)
    if (letter == ',') letter = ' ';
  return words;
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

void add(const CLI::App& app, const std::string& path, Tables& tables) {
  std::string words;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    words += verb->get_name() + ' ';
    add(*verb, path + ' ' + verb->get_name(), tables);
  }
  // The options of what leads here are taken here, too.
  for (const CLI::App* from = &app; from != nullptr; from = from->get_parent()) {
    if (from != &app && !from->get_fallthrough()) break;
    for (const CLI::Option* option : from->get_options()) {
      const std::vector<std::string> names = names_of(*option);
      if (names.empty() && from != &app) continue;
      if (from != &app && app.get_option_no_throw(names.front()) != nullptr) continue;  // its own
      for (const std::string& name : names) words += name + ' ';
      if (option->get_items_expected_max() == 0) continue;
      const std::string kind = kind_of(*option);
      for (const std::string& name : names)
        tables.values += fmt::format("  ['{} {}']='{}'\n", path, name, kind);
      if (names.empty() && kind != "-")
        tables.values += fmt::format("  ['{} ']='{}'\n", path, kind);
    }
  }
  if (!words.empty()) words.pop_back();
  tables.words += fmt::format("  ['{}']='{}'\n", path, words);
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  Tables tables;
  add(app, app.get_name(), tables);
  std::string script = fmt::format(
      "# Completion of {0} for bash, made by {0} itself.\n"
      "declare -gA _NAME_words=(\n{1})\ndeclare -gA _NAME_values=(\n{2}){3}",
      app.get_name(), tables.words, tables.values, kScript);
  for (std::size_t at = script.find("NAME"); at != std::string::npos; at = script.find("NAME", at))
    script.replace(at, 4, app.get_name());
  return script;
}

}  // namespace holdfast::runtime
