// What is behind Firewall. Internal to firewall.cpp.
#pragma once

#include "netlink_reflector/firewall.hpp"
#include "netlink_reflector/firewall_writer.hpp"
#include "netlink_reflector/reflector.hpp"
#include "runtime/log.hpp"
#include "runtime/loop.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <set>
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
        timer_(io, [this] { work(); }),
        told_(std::chrono::minutes(1)) {}

  void follow(const FirewallSettings& settings);
  void close();
  void settle();
  void flush();
  void sweep();
  void on_link();
  [[nodiscard]] FirewallState state() const;
  [[nodiscard]] core::Result<bool> has_leftovers();
  FirewallWishes& wishes() { return wishes_; }

 private:
  /// Between close() and settle() nothing is opened.
  enum class Part : std::uint8_t { closing, all };

  /// Lets the kernel load nf_tables, in the writer's thread.
  struct Look {};
  struct Rebuild {
    FirewallSettings settings;
    std::vector<ClosedAddress> content;
  };
  struct Change {
    std::vector<ClosedAddress> added, removed;
  };
  struct Remove {
    std::string table;
  };
  using Job = std::variant<Look, Rebuild, Change, Remove>;

  void work();
  void lift_pause();
  void build();
  void remove_others();
  [[nodiscard]] TableList read_tables_now();
  [[nodiscard]] TableList ask_once();
  [[nodiscard]] static bool is_without_nf_tables(int error);
  [[nodiscard]] static std::string describe(int error);
  [[nodiscard]] bool may_have_left() const;
  void record();
  void forget_record();
  [[nodiscard]] bool get_ready();
  void listen();
  void hear();
  void react(const FirewallNews& news);
  [[nodiscard]] bool is_gone();
  void tell_repair(const std::string& program);
  [[nodiscard]] bool find_leftovers();
  /// What there is by the table's name; nothing where it is not to be touched, or not known.
  [[nodiscard]] std::optional<Former> former();
  void submit(Job job, Bytes transaction);
  void end(const FirewallAnswer& answer);
  void end_job(const Look& job, int error);
  void end_job(const Rebuild& job, int error);
  void end_job(const Change& job, int error);
  void end_job(const Remove& job, int error);
  void drop(const std::string& table);
  void fail(std::string problem);
  void be_stuck(std::string problem);
  void try_later();
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
  std::optional<FirewallSocket> questions_;
  std::uint32_t question_ = 0;
  boost::asio::posix::stream_descriptor news_;
  runtime::DeadlineTimer timer_;
  runtime::RateLimiter told_;
  Part part_ = Part::all;
  std::optional<Job> job_;        // under way
  std::set<std::string> tables_;  // of ours, that may be there
  bool is_swept_ = false;
  bool sweep_is_due_ = false;
  bool was_asked_ = false;    // the kernel, whether it has nf_tables
  bool is_loaded_ = false;    // it has
  bool is_built_ = false;     // the table of settings_ is there, and as wishes_ knows it
  bool is_made_ = false;      // and nobody was heard to have changed it since
  bool was_touched_ = false;  // since the job under way began
  bool is_slow_ = false;      // the last wait was in vain
  std::string problem_, stuck_;
  core::Duration retry_after_ = kFirstRetry;
  std::optional<core::Instant> retry_at_;
  std::optional<core::Instant> failed_at_;
  std::optional<core::Instant> repaired_at_;
  std::uint64_t repairs_ = 0;
};

}  // namespace holdfast::netlink
