// `[all] SECONDS` of garp_extra_if and vrrp_garp_extra_if, which read and write alike.
#pragma once

#include "config/builders/builder.hpp"
#include "config/model_common.hpp"
#include "config/text.hpp"
#include "config/write/write.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace holdfast::config {

inline void read_extra_announcements(GarpSettings& garp, const Args& args) {
  garp.extra_everywhere = args.size() == 2;
  garp.extra_interval = args.duration(args.size() - 1);
}

inline void write_extra_announcements(const GarpSettings& garp, const GarpSettings& standard,
                                      std::string_view word, Writer& out) {
  const bool differs = garp.extra_interval != standard.extra_interval ||
                       garp.extra_everywhere != standard.extra_everywhere;
  if (!differs && out.detail() != Detail::all) return;
  std::vector<std::string> words;
  if (garp.extra_everywhere) words.emplace_back("all");
  words.push_back(seconds_text(garp.extra_interval));
  out.statement(word, std::move(words));
}

}  // namespace holdfast::config
