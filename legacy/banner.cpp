#include "legacy/banner.hpp"

#include <fmt/format.h>

namespace holdfast::legacy {

// The first line has the shape that is parsed: "Keepalived v", a version, a blank, a date in
// parentheses. The version is that of the keepalived whose words and files are understood. Options
// are named by what is there, not by what keepalived of that version has.
std::string banner(std::string_view version) {
  return fmt::format(
      "Keepalived v2.4.3 (07/20,2026)\n\n"
      "Holdfast {} in the place of keepalived\n\n"
      "configure options: --enable-json --enable-regex --with-init=systemd\n\n"
      "Config options:  LVS REGEX VRRP VRRP_AUTH JSON OLD_CHKSUM_COMPAT INIT=systemd "
      "SYSTEMD_NOTIFY\n",
      version);
}

bool is_keepalived(std::string_view program) {
  return program.substr(program.rfind('/') + 1) == "keepalived";
}

}  // namespace holdfast::legacy
