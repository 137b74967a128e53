// The generic-netlink client of IPVS: reads the kernel's table, executes plans, probes what the
// kernel can do. Used by the checkers' shell; one client per network namespace (that of the thread
// when it is opened), one thread.
//
// Blocking: the kernel executes a request inside sendmsg(), so an asynchronous socket would gain
// nothing. Work is cut into slices instead: a job's run_slice() sends at most kRequestsPerSlice
// requests and returns, so that a caller in an event loop posts itself between slices. Waiting for
// a reply is bounded by kReplyTimeout. Nothing stays in flight between slices, so several jobs and
// single calls may alternate on one client.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "ipvs_wrapper/codec.hpp"
#include "ipvs_wrapper/link.hpp"
#include "ipvs_wrapper/plan.hpp"
#include "ipvs_wrapper/table.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::ipvs {

/// More than this many answers could overrun the receive buffer. It also bounds how long a slice
/// keeps its caller.
inline constexpr std::size_t kRequestsPerSlice = 64;

/// How long to wait for an answer that the kernel owes us before the socket is given up.
inline constexpr core::Duration kReplyTimeout = std::chrono::seconds(2);

/// A reading that contradicts itself (see ReadJob) is made again after this; then after twice as
/// long, and so on. 7.x kernels resize their table for about that long.
inline constexpr core::Duration kRereadDelay = std::chrono::milliseconds(50);
inline constexpr int kReadAttempts = 5;

/// What the kernel says about itself.
struct KernelInfo {
  std::uint32_t version = 0;                ///< 0x010201 is 1.2.1
  std::uint32_t connection_table_size = 0;  ///< buckets
  [[nodiscard]] std::string version_text() const;
  bool operator==(const KernelInfo&) const = default;
};

/// A step that the kernel refused (or whose answer was lost: then system_errno is ENOBUFS or
/// ETIMEDOUT and the table must be read again to know).
struct StepFailure {
  std::size_t index = 0;  ///< into the plan
  int system_errno = 0;
  std::string sentence;
};

/// What became of a plan. A deletion of something missing counts as done. When the kernel refuses
/// us altogether (EPERM, a broken socket) the rest is not tried: done + failures.size() + not_tried
/// is the size of the plan.
struct ApplyReport {
  std::size_t done = 0;
  std::size_t not_tried = 0;
  std::vector<StepFailure> failures;
};

enum class Progress { more, finished };

class Client {
 public:
  /// Opens a socket in the current network namespace and resolves the family, which loads ip_vs
  /// where modprobe works. Fails with one complete sentence when the kernel has no IPVS (ENOENT):
  /// the caller retries on a timer.
  [[nodiscard]] static core::Result<Client> open();
  /// On a link of the caller's (tests); `family` is the numeric id of the IPVS family there.
  Client(std::unique_ptr<Link> link, std::uint16_t family);

  /// Also tells whether we may use IPVS: EPERM without CAP_NET_ADMIN.
  [[nodiscard]] core::Result<KernelInfo> info();

  /// The whole table at once, tried kReadAttempts times with a sleep between them. Reading 2,000
  /// services takes some ten ms: in an event loop use ReadJob.
  [[nodiscard]] core::Result<Observed> read();

  /// All services without their servers, by one dump. Fails with EAGAIN when a service comes twice:
  /// the kernel's table moved under the reading.
  [[nodiscard]] core::Result<ServiceList> list();

  /// The whole plan at once. A refused step does not stop later ones.
  [[nodiscard]] ApplyReport apply(const Plan& steps);

  [[nodiscard]] core::Result<SyncDaemons> sync_daemons();
  [[nodiscard]] core::Result<Timeouts> timeouts();
  /// A stop of a daemon that does not run succeeds.
  [[nodiscard]] core::Result<void> command(const SyncCommand& command);

  /// True when the kernel knows the scheduler. Tries it on a throw-away service (firewall mark
  /// 0xfffffffe), which loads its module.
  [[nodiscard]] core::Result<bool> has_scheduler(std::string_view name);
  /// Those of kKnownSchedulers that the kernel has. Loads their modules.
  [[nodiscard]] core::Result<std::vector<std::string>> schedulers();

 private:
  friend class ReadJob;
  friend class ReadServicesJob;
  friend class ApplyJob;

  /// Sends steps [first, first + count) of a plan as one datagram and adds their results to the
  /// report.
  void apply_batch(const Plan& steps, std::size_t first, std::size_t count, ApplyReport& report);
  /// One step with its own answer: 0 or an errno.
  [[nodiscard]] int apply_one(const Step& step);

  /// The messages that answer the request in out_, up to and including its end; `datagrams` counts
  /// the pieces.
  struct Answers {
    std::vector<Reply> replies;
    std::size_t datagrams = 0;
  };
  [[nodiscard]] core::Result<Answers> exchange(std::string_view what, std::uint32_t sequence,
                                               core::Family service_family);
  [[nodiscard]] core::Result<Answers> dump_services();
  [[nodiscard]] core::Result<Answers> dump_servers(const ServiceKey& key);
  /// The services under these keys, asked for by name in one datagram; those that are not there are
  /// left out.
  [[nodiscard]] core::Result<std::vector<ServiceReply>> get_services(
      std::span<const ServiceKey> keys);
  /// The servers of one service, and its counters' part; complete when the service is there.
  [[nodiscard]] core::Result<void> read_servers(const ServiceKey& key, Observed& into);

  std::unique_ptr<Link> link_;
  std::uint16_t family_;
  std::uint32_t sequence_ = 0;
  std::vector<std::uint8_t> out_;  // reused between requests
};

/// Reads the whole table in slices. Services are listed, their servers are read service by service,
/// then services are listed again. When a key came twice, or the two lists have different keys, the
/// table changed meanwhile (or the kernel was resizing its own) and the reading is worth nothing:
/// the job ends with EAGAIN, to be made again after a pause.
class ReadJob {
 public:
  explicit ReadJob(Client& client) : client_(&client) {}
  /// An error ends the job.
  [[nodiscard]] core::Result<Progress> run_slice();
  /// The result, once run_slice() has said finished.
  [[nodiscard]] Observed take() { return std::move(observed_); }
  /// Whether the list of services came in one piece, which the kernel makes at one go. Of a longer
  /// one 7.x kernels may lose entries without a word.
  [[nodiscard]] bool in_one_piece() const { return in_one_piece_; }

 private:
  [[nodiscard]] core::Result<Progress> list_services();
  [[nodiscard]] core::Result<Progress> list_servers();
  [[nodiscard]] core::Result<Progress> compare_list();

  Client* client_;
  Observed observed_;
  std::vector<ServiceKey> keys_;  // in the order of the table
  std::size_t next_ = 0;          // of keys_; beyond the end when all servers are read
  bool listed_ = false;
  bool in_one_piece_ = true;
};

/// Reads some services in slices, each asked for by its key, so that nothing can be lost in a list:
/// services, their servers, and once more those that seem to have no servers, because the kernel
/// says the same of a service that has just gone. Ends with EAGAIN like ReadJob. Cost follows the
/// number of keys, not the size of the table.
class ReadServicesJob {
 public:
  ReadServicesJob(Client& client, std::vector<ServiceKey> keys)
      : client_(&client), keys_(std::move(keys)) {}
  /// An error ends the job.
  [[nodiscard]] core::Result<Progress> run_slice();
  [[nodiscard]] const std::vector<ServiceKey>& keys() const { return keys_; }
  /// Those of the keys that are there, once run_slice() has said finished.
  [[nodiscard]] Observed take() { return std::move(observed_); }

 private:
  Client* client_;
  std::vector<ServiceKey> keys_;
  std::size_t next_ = 0;
  Observed observed_;
};

/// Executes a plan in slices. A newer plan needs no cancelling: drop the job, read, plan again.
class ApplyJob {
 public:
  ApplyJob(Client& client, Plan steps) : client_(&client), steps_(std::move(steps)) {}
  [[nodiscard]] Progress run_slice();
  [[nodiscard]] const Plan& steps() const { return steps_; }
  [[nodiscard]] const ApplyReport& report() const { return report_; }

 private:
  Client* client_;
  Plan steps_;
  std::size_t next_ = 0;
  ApplyReport report_;
};

/// Every scheduler that some kernel has. ip_vs_<name> is its module.
inline constexpr std::string_view kKnownSchedulers[] = {
    "rr", "wrr", "lc", "wlc", "fo", "ovf", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "twos"};

}  // namespace holdfast::ipvs
