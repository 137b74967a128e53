#include "legacy/dump_request.hpp"

#include <array>
#include <csignal>

namespace holdfast::legacy {
namespace {

struct Name {
  std::string_view word;
  bool DumpRequest::*member;
};
constexpr std::array kNames{
    Name{"parent", &DumpRequest::parent_data}, Name{"data", &DumpRequest::vrrp_data},
    Name{"check", &DumpRequest::check_data},   Name{"stats", &DumpRequest::stats},
    Name{"json", &DumpRequest::json},          Name{"clear", &DumpRequest::clears_stats}};

}  // namespace

void DumpRequest::add(const DumpRequest& other) {
  for (const Name& name : kNames) this->*name.member |= other.*name.member;
}

DumpRequest request_of(int signal_number, Asked asked) {
  const bool is_parent = asked == Asked::parent;
  const bool reaches_vrrp = asked != Asked::checkers;
  if (signal_number == SIGUSR1)
    return {.parent_data = is_parent,
            .vrrp_data = reaches_vrrp,
            .check_data = is_parent || asked == Asked::checkers};
  if (signal_number == SIGUSR2) return {.stats = reaches_vrrp};
  if (signal_number == SIGRTMIN + 2) return {.json = reaches_vrrp};
  if (signal_number == SIGRTMAX - 1) return {.stats = reaches_vrrp, .clears_stats = reaches_vrrp};
  return {};
}

std::string to_word(const DumpRequest& request) {
  std::string all;
  for (const Name& name : kNames) {
    if (!(request.*name.member)) continue;
    if (!all.empty()) all += ',';
    all += name.word;
  }
  return all;
}

std::optional<DumpRequest> request_in(std::string_view word) {
  DumpRequest request;
  while (true) {
    const std::size_t comma = word.find(',');
    bool is_known = false;
    for (const Name& name : kNames) {
      if (word.substr(0, comma) != name.word) continue;
      request.*name.member = true;
      is_known = true;
    }
    if (!is_known) return std::nullopt;
    if (comma == word.npos) return request;
    word.remove_prefix(comma + 1);
  }
}

}  // namespace holdfast::legacy
