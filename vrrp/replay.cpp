#include "vrrp/replay.hpp"

#include "vrrp/scenario/replay.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace holdfast::vrrp {
namespace {

constexpr int kSame = 0;
constexpr int kDiffers = 1;
constexpr int kUnreadable = 2;

int complain(const std::string& sentence, int exit_code) {
  fmt::print(stderr, "{}\n", sentence);
  return exit_code;
}

}  // namespace

int replay(const std::string& file) {
  std::ifstream in(file);
  if (!in)
    return complain(fmt::format("holdfast: cannot open {}: {}", file, std::strerror(errno)),
                    kUnreadable);
  scenario::Replay replay([](std::string_view line) { fmt::print("{}\n", line); });
  std::string line;
  while (std::getline(in, line)) {
    if (in.eof() && replay.is_recording()) break;  // torn: its writer was killed, or the disk full
    replay.feed(line);
  }
  if (in.bad())
    return complain(fmt::format("holdfast: cannot read {}: {}", file, std::strerror(errno)),
                    kUnreadable);
  replay.finish();
  std::fflush(stdout);
  if (const auto& trouble = replay.trouble())
    return complain(fmt::format("{}:{}: {}", file, trouble->line, trouble->sentence), kUnreadable);
  if (const auto& difference = replay.difference())
    return complain(fmt::format("{}:{}: decided otherwise\n  expected {}\n  got      {}", file,
                                difference->line, difference->expected, difference->got),
                    kDiffers);
  return complain(fmt::format("the same: {} decisions", replay.decisions()), kSame);
}

}  // namespace holdfast::vrrp
