// The mirror of links and addresses of this network namespace, and the only writer to addresses.
// A daemon says which addresses an owner (a VRRP instance) should hold; the reflector plans,
// applies, reads back, and puts back what others remove. One object per process, used only from the
// loop's thread. Never waits for the kernel: rtnetlink does its work inside sendmsg, answers are
// read when the socket is readable.
#pragma once

#include "core/ip_address.hpp"
#include "core/result.hpp"
#include "core/router_key.hpp"
#include "core/time.hpp"
#include "netlink_reflector/core/desired.hpp"
#include "netlink_reflector/core/publication.hpp"
#include "netlink_reflector/core/table.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace boost::asio {
class io_context;
}
namespace holdfast::runtime {
class Logger;
}

namespace holdfast::netlink {

/// Whether a living process that keeps addresses by the same directory is in our way.
enum class Company : std::uint8_t {
  refused,   ///< two would overwrite each other's record
  accepted,  ///< whoever asks knows that it is no keeper, or holds nothing and will not act
};

struct ReflectorOptions {
  /// Where `vrrp.owned` lists the addresses that are ours, for a successor; also the name by which
  /// other directors of this network namespace know of us: one process at a time. Empty: neither,
  /// for tests.
  std::string run_dir = {};
  /// A process that shows our name is no obstacle: for the release, beside a vrrp child that was
  /// struck or has not begun; and for whoever holds the lock of the run directory.
  Company company = Company::refused;
  /// Receive buffer of the event socket. A burst that does not fit costs a full dump. keepalived:
  /// vrrp_netlink_monitor_rcv_bufs. Unit: bytes.
  int event_buffer_bytes = 4 << 20;
  /// Receive buffer of the socket for requests. Unit: bytes.
  int request_buffer_bytes = 1 << 20;
  /// How long after a refused step it is tried again, the first time; doubles up to
  /// Keeper::kMaxRetryAfter.
  core::Duration retry_after = std::chrono::seconds(1);
};

class Reflector {
 public:
  Reflector(boost::asio::io_context& io, runtime::Logger& logger, ReflectorOptions options = {});
  /// Stops listening. Addresses stay as they are: release() first to take them off.
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  /// Opens the sockets, subscribes, and reads everything before it returns: the daemon starts with
  /// a full mirror. Call once, before anything else. No callback runs. From then on events arrive
  /// through the loop.
  [[nodiscard]] core::Result<void> load();

  // ---- what is there ----

  /// Valid until control returns to the loop; nullptr: no such interface.
  [[nodiscard]] const Link* link(std::string_view name) const;
  [[nodiscard]] const Link* link(InterfaceIndex index) const;
  [[nodiscard]] std::vector<Link> links() const;
  [[nodiscard]] std::vector<Address> addresses(InterfaceIndex index) const;
  /// The interface has this address now, whoever put it there.
  [[nodiscard]] bool holds(InterfaceIndex index, const core::IpAddress& address) const;
  /// An owner holds addresses on the interface of this name, or wants to.
  [[nodiscard]] bool is_wanted(std::string_view interface) const;
  /// The address that adverts on this interface come from: its first own one. What we added is
  /// never chosen; what the host has from before but an owner claims (an address owner's, priority
  /// 255) only where there is nothing else. nullopt: there is none.
  [[nodiscard]] std::optional<core::IpAddress> primary_v4(InterfaceIndex index) const;
  /// The same for IPv6: a link-local address that may be used, its duplicate detection over.
  [[nodiscard]] std::optional<core::IpAddress> link_local(InterfaceIndex index) const;
  /// Some interface has this address, and it may be used: an IPv6 link-local one is another on each
  /// link, and counts on `from` only.
  [[nodiscard]] bool is_usable(const core::IpAddress& address, InterfaceIndex from) const;

  /// Some interface has this address from us, or from a predecessor.
  [[nodiscard]] bool is_ours(const core::IpAddress& address) const;

  /// Takes up what the kernel has said until now, so that what this process has just asked of it is
  /// in the mirror. No callback runs.
  void look();
  /// Runs when links have changed, before it is judged what follows for addresses: whoever makes
  /// interfaces again does it here. One only.
  void before_work(std::function<void()> callback);
  /// Called for every difference, in order, after the mirror has it. Several callbacks may be
  /// registered.
  void on_link(std::function<void(const LinkEvent&)> callback);
  void on_address(std::function<void(const AddressEvent&)> callback);

  // ---- what should be there ----

  /// Says which addresses `owner` may come to hold, held now or not: they may move, so an advert's
  /// source is chosen among the others first.
  void claim(const core::RouterKey& owner, std::vector<DesiredAddress> addresses);
  /// Every owner of the first configuration has claimed, and those that resume hold: what a
  /// predecessor left on the interfaces and nobody holds is taken off on the next turn of the loop
  /// or at flush(). The second call and later ones do nothing.
  /// `statics`: what becomes of those of them that are the director's own.
  void sweep_leftovers(Statics statics = Statics::go);
  /// `owner` should hold exactly these. Replaces the former set; equal sets cost nothing but the
  /// callback. The interfaces need not exist yet. Work starts on the next turn of the loop (so that
  /// a step over many owners becomes one batch) or at flush(), and ends with on_published. An
  /// address that is there without us counts as held, and is not ours to take off.
  void hold(const core::RouterKey& owner, std::vector<DesiredAddress> addresses);
  /// `owner` should hold nothing; its claim stays. Ends with on_published too.
  void release(const core::RouterKey& owner);
  /// As release(), and forgets the claim: the owner is gone from the configuration. No callback
  /// follows.
  void forget(const core::RouterKey& owner);
  /// Sends what is pending and reads it back now, inside this call; ask publication() what came
  /// out. Callbacks never run inside it: they come on the next turn of the loop. Bounded by the
  /// number of steps. For the orderly end of a process.
  void flush();
  /// As flush(), but returns at `until`, or a piece of work later; true when all is done. What is
  /// left goes on in the loop, sooner by the next call.
  [[nodiscard]] bool advance(core::Instant until);

  /// The work of a hold() or release() is done and read back: once per call, and again whenever the
  /// outcome changes by itself (an interface came, a retry worked). Also called when a retry failed
  /// for another reason. Tells of every address whether it is there, and why not; one that cannot
  /// be had does not hold back the others.
  void on_published(std::function<void(const core::RouterKey& owner, const Publication&)> callback);
  /// An address that was held is gone and cannot be put back (or is removed as fast as it is put
  /// back); how it is with the others the publication says too. Retries go on; on_published says
  /// when it is back.
  void on_lost(std::function<void(const core::RouterKey& owner, const Publication&)> callback);
  /// Addresses of this owner that somebody removed or changed are back: neighbours may need to hear
  /// of them again. Once for all of one turn of the loop. Our own changes are no repairs.
  void on_repaired(
      std::function<void(const core::RouterKey& owner, const std::vector<core::IpPrefix>&)>
          callback);

  /// The owner's addresses as they are in the mirror now, for status; claimed ones while it holds
  /// none.
  [[nodiscard]] Publication publication(const core::RouterKey& owner) const;
  /// Links and addresses were read as a whole. False only where they changed during every attempt;
  /// the loop goes on trying.
  [[nodiscard]] bool is_complete() const;
  /// How many addresses on this host are ours, held or left over.
  [[nodiscard]] std::size_t owned_count() const;
  /// How many of those the sweep let stay.
  [[nodiscard]] std::size_t staying_count() const;
  [[nodiscard]] const ReflectorCounters& counters() const;
  [[nodiscard]] std::uint64_t repairs() const { return counters().repairs; }

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace holdfast::netlink
