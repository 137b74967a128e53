// Which dumps are asked for. A signal asks; requests that come together are answered together.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace holdfast::legacy {

/// Who got the signal: each process of keepalived writes what it knows itself.
enum class Asked : unsigned char { parent, vrrp, checkers };

struct DumpRequest {
  bool parent_data = false;
  bool vrrp_data = false;
  bool check_data = false;
  bool stats = false;
  bool json = false;
  bool clears_stats = false;  ///< after they were written

  [[nodiscard]] bool is_empty() const { return *this == DumpRequest{}; }
  void add(const DumpRequest& other);
  bool operator==(const DumpRequest&) const = default;
};

/// Empty: the signal asks for nothing. keepalived: --signum=DATA, STATS, JSON, STATS_CLEAR.
[[nodiscard]] DumpRequest request_of(int signal_number, Asked asked);
/// "data,stats": a word of the command line.
[[nodiscard]] std::string to_word(const DumpRequest& request);
/// The reverse; nullopt: there is a word that it does not know, or none.
[[nodiscard]] std::optional<DumpRequest> request_in(std::string_view word);

}  // namespace holdfast::legacy
