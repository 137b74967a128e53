#include "ctl/json_view.hpp"
#include "ctl/status.hpp"

#include <fmt/format.h>

#include <iterator>

namespace holdfast::ctl {
namespace {

/// A line of a group's entries ends at the first one behind this column.
constexpr std::size_t kEntriesWidth = 70;

std::string endpoint_text(const object& from) {
  const std::string address = text(from, "address");
  const bool v6 = address.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address, v6 ? "]" : "", text(from, "port"));
}

/// "TCP 192.168.1.200:8099"; a firewall mark as ipvsadm shows it: "FWM 7", "FWM 7 IPv6"; a group by
/// its name.
std::string service_name(const object& from) {
  if (find(from, "group") != nullptr) return text(from, "group");
  const std::string protocol = text(from, "protocol");
  if (find(from, "mark") == nullptr) return fmt::format("{} {}", protocol, endpoint_text(from));
  return fmt::format("{} {}{}", protocol, text(from, "mark"),
                     text(from, "family") == "ipv6" ? " IPv6" : "");
}

Paint paint_of(const std::string& state) {
  if (state == "up") return Paint::good;
  return state == "down" ? Paint::bad : Paint::warn;
}

std::string weight_text(const object& server) {
  const std::string now = text(server, "weight");
  const std::string configured = text(server, "configured_weight");
  if (configured.empty() || configured == now) return now;
  return fmt::format("{} of {}", now, configured);
}

/// "TCP_CHECK 192.168.1.67:8099 down: connection refused, took 3 ms, 2 s ago, 3 failures in a row"
std::string check_line(const object& check, const TextOptions& options) {
  const std::string result = text(check, "result");
  std::string words = fmt::format("{} {} {}", text(check, "type"), text(check, "target"),
                                  painted(result, paint_of(result), options.colours));
  const std::string reason = text(check, "reason");
  if (!reason.empty()) words += ": " + reason;
  if (const auto took = number(check, "took_ms")) words += ", took " + duration_text(*took);
  if (const auto age = age_ms(text(check, "last_at"), options.now)) {
    words += fmt::format(", {} ago", duration_text(*age));
  }
  const auto failures = number(check, "failures_in_row").value_or(0);
  if (failures == 1) words += ", 1 failure";
  if (failures > 1) words += fmt::format(", {} failures in a row", failures);
  return words;
}

void add_server(TextTable& table, const object& server, const TextOptions& options,
                std::string_view remark) {
  std::vector<std::string> checks;
  for (const value& entry : find_list(server, "checks")) {
    if (const object* check = entry.if_object()) checks.push_back(check_line(*check, options));
  }
  const std::string state = text(server, "state");
  const auto age = age_ms(text(server, "since_at"), options.now);
  const value* in_table = find(server, "in_table");
  const bool absent = in_table != nullptr && !flag(server, "in_table");
  table.add({{endpoint_text(server)},
             {state, paint_of(state)},
             {age ? duration_text(*age) : ""},
             {weight_text(server)},
             {text(server, "active_connections")},
             {text(server, "inactive_connections")},
             {!remark.empty() ? std::string(remark)
              : absent        ? "not in the table"
                              : "",
              Paint::warn}},
            std::move(checks));
}

std::string service_line(const object& service, const TextOptions& options) {
  std::string line = painted(service_name(service), Paint::bold, options.colours);
  line += fmt::format("  {} {}", text(service, "scheduler"), text(service, "forwarding"));
  const auto persistence = number(service, "persistence_timeout_s").value_or(0);
  if (persistence > 0) line += fmt::format("  persistent {} s", persistence);
  if (find(service, "quorum_up") != nullptr) {
    const bool up = flag(service, "quorum_up");
    line += "  " + painted(fmt::format("quorum {}: weight {} up, {} needed", up ? "met" : "lost",
                                       text(service, "up_weight"), text(service, "quorum")),
                           up ? Paint::good : Paint::bad, options.colours);
  }
  if (flag(service, "suspended"))
    line += painted("  not probed: its address is elsewhere", Paint::warn, options.colours);
  return line + "\n";
}

/// "TCP 10.0.0.1:80  TCP 10.0.0.2:80  FWM 7  and 12 more", wrapped.
std::string entries_of_group(const object& service) {
  std::string lines;
  std::size_t width = 0;
  const auto add = [&](std::string_view word) {
    const bool begins = width == 0 || width > kEntriesWidth;
    if (begins) width = 0;
    fmt::format_to(std::back_inserter(lines), "{}{}",
                   !begins         ? "  "
                   : lines.empty() ? "    "
                                   : "\n    ",
                   word);
    width += word.size() + 2;
  };
  const array& entries = find_list(service, "entries");
  for (const value& entry : entries)
    if (const object* one = entry.if_object()) add(service_name(*one));
  const auto all = static_cast<std::size_t>(number(service, "entry_count").value_or(0));
  if (all > entries.size()) add(fmt::format("and {} more", all - entries.size()));
  if (!lines.empty()) lines += '\n';
  return lines;
}

std::string render_service(const object& service, const TextOptions& options) {
  TextTable table({{"server"},
                   {"state"},
                   {"for"},
                   {"weight", Align::right},
                   {"active", Align::right},
                   {"inactive", Align::right},
                   {"remark"}});
  for (const value& entry : find_list(service, "servers")) {
    if (const object* server = entry.if_object()) add_server(table, *server, options, "");
  }
  if (const object* sorry = find_object(service, "sorry_server")) {
    add_server(table, *sorry, options,
               flag(*sorry, "in_use") ? "sorry server, in use" : "sorry server");
  }
  return "  " + service_line(service, options) + entries_of_group(service) +
         table.render(4, options.colours);
}

// What differs now comes first; what was put back is history.
std::string render_differences(const object& ipvs, const TextOptions& options) {
  std::string result;
  if (const object* differs = find_object(ipvs, "differs")) {
    const auto places = number(*differs, "places").value_or(0);
    const auto since = number(*differs, "since_ms").value_or(0);
    result += "  " +
              painted(fmt::format("the kernel's table differs in {} place{}, for {}:", places,
                                  places == 1 ? "" : "s", duration_text(since)),
                      Paint::warn, options.colours) +
              "\n";
    for (const value& entry : find_list(*differs, "entries"))
      if (const auto* sentence = entry.if_string())
        result += fmt::format("    {}\n", std::string_view(*sentence));
  }
  if (const auto drift = number(ipvs, "drift").value_or(0); drift > 0)
    result +=
        fmt::format("  {} entr{} that others changed {} put back since the start; last {} ago\n",
                    drift, drift == 1 ? "y" : "ies", drift == 1 ? "was" : "were",
                    duration_text(number(ipvs, "last_drift_ms").value_or(0)));
  return result;
}

/// "connections are synchronised: master on eth0, id 51; follows VI_1"
std::string render_sync(const object& sync, const TextOptions& options) {
  std::string roles;
  for (const value& entry : find_list(sync, "daemons")) {
    const object* one = entry.if_object();
    if (one == nullptr) continue;
    fmt::format_to(std::back_inserter(roles), "{}{} on {}, id {}", roles.empty() ? "" : "; ",
                   text(*one, "role"), text(*one, "interface"), text(*one, "id"));
  }
  const std::string error = text(sync, "error");
  const bool none = find_list(sync, "wanted").empty();
  if (!error.empty())
    return fmt::format("  {}\n", painted(fmt::format("{}: {}",
                                                     none ? "the timeouts are not as they should be"
                                                          : "connections are not synchronised",
                                                     error),
                                         Paint::bad, options.colours));
  if (none) return {};
  const std::string instance = text(sync, "instance");
  return fmt::format("  connections are synchronised: {}{}{}\n", roles,
                     instance.empty() ? "" : "; follows ", instance);
}

/// "net.ipv4.vs.conntrack = 1 (was 0)", and what is not as it should be.
std::string render_switches(const object& switches, const TextOptions& options) {
  std::string result;
  for (const value& entry : find_list(switches, "values")) {
    const object* one = entry.if_object();
    if (one == nullptr) continue;
    const std::string now = text(*one, "value");
    const std::string found = text(*one, "found");
    const std::string line = fmt::format("net.ipv4.vs.{} = {}{}", text(*one, "name"),
                                         now.empty() ? text(*one, "wanted") : now,
                                         found.empty() ? "" : fmt::format(" (was {})", found));
    result += fmt::format(
        "  {}\n",
        now.empty() ? painted(line + ": not in this kernel", Paint::bad, options.colours) : line);
  }
  if (const std::string error = text(switches, "error"); !error.empty())
    result += fmt::format("  {}\n", painted(error, Paint::bad, options.colours));
  return result;
}

}  // namespace

std::string render_services(const object& checkers, const TextOptions& options) {
  std::string result = painted("Services", Paint::bold, options.colours) + "\n";
  if (const object* ipvs = find_object(checkers, "ipvs")) {
    if (!flag(*ipvs, "available")) {
      result +=
          "  " +
          painted("IPVS is not available: " + text(*ipvs, "error"), Paint::bad, options.colours) +
          "\n";
    }
    result += render_differences(*ipvs, options);
  }
  if (const object* sync = find_object(checkers, "sync")) result += render_sync(*sync, options);
  if (const object* switches = find_object(checkers, "switches"))
    result += render_switches(*switches, options);
  const array& services = find_list(checkers, "services");
  if (services.empty()) result += "  none configured\n";
  for (const value& entry : services) {
    if (const object* service = entry.if_object()) result += render_service(*service, options);
  }
  for (const value& entry : find_list(checkers, "foreign")) {
    const object* service = entry.if_object();
    if (service == nullptr) continue;
    result += fmt::format("  {}  not ours, left alone\n", service_name(*service));
  }
  return result;
}

}  // namespace holdfast::ctl
