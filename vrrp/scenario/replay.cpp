#include "vrrp/scenario/replay.hpp"

#include "vrrp/scenario/lines.hpp"
#include "vrrp/scenario/words.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace holdfast::vrrp::scenario {

template <class Work>
void Replay::guarded(const Work& work) {
  if (trouble_) return;
  try {
    work();
  } catch (const FormatError& error) {
    trouble_ = Trouble{line_, error.what()};
  }
}

void Replay::feed(std::string_view line) {
  ++line_;
  guarded([&] {
    if (!player_ && !script_) choose(line);
    take(line);
  });
}

void Replay::choose(std::string_view first_line) {
  if (first_line == kFirstLine) {
    player_.emplace(trace_);
  } else if (first_line == kFirstLineOfExcerpt) {
    throw FormatError(
        "this is an excerpt: with so many instances the memory of the process keeps only what "
        "changed, which cannot be played; `holdfastctl record start FILE` writes everything");
  } else if (first_line.starts_with("holdfast-scenario")) {
    throw FormatError(
        fmt::format("this program reads '{}', not '{}'", kFirstLine, one_line(first_line)));
  } else {
    script_.emplace();
  }
}

void Replay::take(std::string_view line) {
  if (player_) {
    if (line_ > 1) player_->feed(line, line_);
  } else if (below_) {
    expected_.push_back({line_, std::string(line)});
  } else if (line == "---") {
    below_ = true;
  } else {
    script_->feed(line);
  }
}

void Replay::finish() {
  guarded([&] {
    if (player_) {
      player_->finish();
      difference_ = player_->difference();
      decisions_ = player_->decisions();
    } else if (script_ && below_) {
      compare_script();
    } else {
      throw FormatError("there is no recording in it, and no expected decisions below a '---'");
    }
  });
}

void Replay::compare_script() {
  std::vector<std::string> got;
  std::string_view rest = script_->trace();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    got.emplace_back(rest.substr(0, end));
    trace_(got.back());
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (std::size_t i = 0; i < std::max(got.size(), expected_.size()); ++i) {
    const bool same = i < got.size() && i < expected_.size() && got[i] == expected_[i].text;
    if (same) continue;
    difference_ = Difference{i < expected_.size() ? expected_[i].line : line_ + 1,
                             i < expected_.size() ? expected_[i].text : std::string(kNothing),
                             i < got.size() ? got[i] : std::string(kNothing)};
    return;
  }
  decisions_ = got.size();
}

Replay::Verdict Replay::verdict() const {
  if (trouble_) return Verdict::unreadable;
  return difference_ ? Verdict::differs : Verdict::same;
}

}  // namespace holdfast::vrrp::scenario
