// The table in the grammar of `ipvsadm -S -n`, both ways: what we write `ipvsadm -R` reads, and the
// reverse. Used by holdfastctl, by logs (one line a step) and by tests as the second opinion.
// Beyond ipvsadm's saver we write -x/-y (thresholds), which ipvsadm reads. Two extensions that
// ipvsadm does not read keep tables made by other tools lossless: `--protocol N address:port` and
// `--forwarding local|bypass|N`.
#pragma once

#include "core/result.hpp"
#include "ipvs_wrapper/plan.hpp"
#include "ipvs_wrapper/table.hpp"

#include <string>
#include <string_view>

namespace holdfast::ipvs {

/// One line an entry, a service before its servers, in table order; every line ends with '\n'.
[[nodiscard]] std::string write_text(const Table& table);

/// Reads write_text's and ipvsadm's lines (-A and -a; a leading word "ipvsadm", blank lines and
/// lines starting with # are skipped). Options in any order, long names too; addresses and ports
/// are numbers. The error names line and column, both from 1: "line 3, column 24: unknown option
/// '-q'".
[[nodiscard]] core::Result<Table> parse_text(std::string_view text);

/// One command for a table that is there: -A -E -D (service) or -a -e -d (server), as on ipvsadm's
/// command line. A server without a port has its service's, and one that is not behind NAT always:
/// the kernel hands its packets on as they are.
[[nodiscard]] core::Result<Step> parse_command(std::string_view line);

/// The lines behind to_string(Step), also for callers that hold the parts.
[[nodiscard]] std::string service_line(char command, const ServiceKey& key,
                                       const Settings& settings);
[[nodiscard]] std::string server_line(char command, const ServiceKey& key,
                                      const core::Endpoint& endpoint, const Server& server);
/// "-t 192.0.2.1:80", "-u [2001:db8::1]:53", "--sctp-service …", "-f 7 -6".
[[nodiscard]] std::string key_options(const ServiceKey& key);

}  // namespace holdfast::ipvs
