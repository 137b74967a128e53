// What is behind Firewall. Internal to firewall.cpp.
#pragma once

#include "netlink_reflector/firewall.hpp"
#include "netlink_reflector/firewall_writer.hpp"
#include "netlink_reflector/reflector.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <deque>
#include <variant>

namespace holdfast::netlink {

class Firewall::Impl {
 public:
  static constexpr core::Duration kFirstRetry = std::chrono::seconds(1);

  Impl(boost::asio::io_context& io, runtime::Logger& logger, Reflector& reflector,
       const std::string& run_dir)
      : io_(io),
        logger_(logger),
        reflector_(reflector),
        mark_(firewall_mark(run_dir)),
        record_path_(run_dir.empty() ? std::string{} : run_dir + "/vrrp.firewall"),
        news_(io),
        timer_(io, [this] { work(Part::all); }),
        told_(std::chrono::minutes(1)) {}

  /// What one call of work() may do.
  enum class Part : std::uint8_t { closing, all };

  void follow(const FirewallSettings& settings);
  void work(Part part);
  void close();
  void flush();
  void sweep();
  void on_link();
  [[nodiscard]] FirewallState state() const;
  [[nodiscard]] bool has_leftovers() const;
  FirewallWishes& wishes() { return wishes_; }

 private:
  struct Rebuild {
    std::vector<ClosedAddress> content;
  };
  struct Change {
    std::vector<ClosedAddress> added, removed;
  };
  struct Remove {
    std::string table;
  };
  using Job = std::variant<Rebuild, Change, Remove>;

  [[nodiscard]] TableList read_tables_now() const;
  [[nodiscard]] bool may_have_left() const;
  void record();
  void forget_record();
  [[nodiscard]] bool get_ready();
  void listen();
  void hear();
  [[nodiscard]] bool is_ours_to_make();
  void submit(Job job, Bytes transaction);
  void end(const FirewallAnswer& answer);
  void end_job(const Rebuild& job, int error);
  void end_job(const Change& job, int error);
  void end_job(const Remove& job, int error);
  void fail(std::string problem);
  void succeed();
  [[nodiscard]] std::vector<ClosedElement> elements(const std::vector<ClosedAddress>& closed) const;

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  Reflector& reflector_;
  std::string mark_;
  /// There while a table of ours may be: who never had one does not ask the kernel for nf_tables,
  /// which would load it.
  std::string record_path_;
  FirewallSettings settings_;
  FirewallWishes wishes_;
  std::unique_ptr<FirewallWriter> writer_;
  /// Stays open: the kernel lets whoever closes such a socket wait for the transactions of others.
  mutable std::optional<FirewallSocket> questions_;
  boost::asio::posix::stream_descriptor news_;
  runtime::DeadlineTimer timer_;
  runtime::RateLimiter told_;
  std::optional<Job> job_;         // under way
  std::deque<std::string> stale_;  // tables of ours that are to go
  bool is_swept_ = false;
  bool is_built_ = false;     // the table is there, and as wishes_ knows it
  bool was_touched_ = false;  // since the job under way began
  bool is_slow_ = false;      // the last wait was in vain
  std::string problem_;
  core::Duration retry_after_ = kFirstRetry;
  std::optional<core::Instant> retry_at_;
  std::optional<core::Instant> repaired_at_;
  std::uint64_t repairs_ = 0;
};

}  // namespace holdfast::netlink
