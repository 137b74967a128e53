// Carries transactions to nf_tables in a thread of its own: the kernel lets a sender wait while
// somebody else's ruleset is loaded, and the first sender of all until modprobe has loaded
// nf_tables, which may take longer than an advert may be late. One at a time. Questions may be
// asked beside it, once an answer has come here. Used by the firewall only.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "netlink_reflector/core/firewall_codec.hpp"
#include "runtime/unique_fd.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace holdfast::netlink {

class FirewallWriter {
 public:
  /// Runs in the loop, or within wait().
  using Done = std::function<void(const FirewallAnswer& answer)>;

  [[nodiscard]] static core::Result<std::unique_ptr<FirewallWriter>> start(
      boost::asio::io_context& io, Done done);
  /// Waits for what is under way; nobody hears of its end any more.
  ~FirewallWriter();
  FirewallWriter(const FirewallWriter&) = delete;
  FirewallWriter& operator=(const FirewallWriter&) = delete;

  /// Not while it is busy.
  void submit(Bytes transaction);
  [[nodiscard]] bool is_busy() const;
  /// Until the end of what is under way, at most until then. True: it has ended, and is told.
  bool wait(core::Instant until);
  /// By which the kernel names it as the author of a change.
  [[nodiscard]] std::uint32_t port() const;

 private:
  struct Shared;
  explicit FirewallWriter(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}

  std::shared_ptr<Shared> shared_;
};

/// Whether a socket is told of all changes.
enum class Listens : std::uint8_t { no, yes };
/// A socket of nf_tables.
struct FirewallSocket {
  runtime::UniqueFd fd;
  std::uint32_t port = 0;
};
[[nodiscard]] core::Result<FirewallSocket> open_firewall_socket(Listens listens);

}  // namespace holdfast::netlink
