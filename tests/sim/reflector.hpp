// netlink_reflector's shell, simulated: the real keeper with its mirror, on a simulated kernel and
// a record file. The order of what it does is reflector.cpp's of the product.
#pragma once

#include "netlink_reflector/core/keeper.hpp"
#include "tests/sim/kernel.hpp"
#include "tests/sim/process.hpp"

#include <deque>
#include <variant>

namespace holdfast::sim {

class Reflector {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_link(const netlink::LinkEvent& event) = 0;
    virtual void on_address(const netlink::AddressEvent& event) = 0;
    virtual void on_published(const core::RouterKey& owner,
                              const netlink::Publication& publication) = 0;
    virtual void on_repaired(const core::RouterKey& owner) = 0;
  };

  /// `record`: the host's vrrp.owned.
  Reflector(World& world, Process& process, Kernel& kernel, netlink::OwnedList& record,
            Listener* listener);
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  void load();
  void claim(const core::RouterKey& owner, std::vector<netlink::DesiredAddress> addresses);
  void hold(const core::RouterKey& owner, std::vector<netlink::DesiredAddress> addresses);
  void release(const core::RouterKey& owner);
  void forget(const core::RouterKey& owner);
  void sweep_leftovers();
  void flush();

  [[nodiscard]] const netlink::Mirror& mirror() const { return mirror_; }
  [[nodiscard]] const netlink::Link* link(std::string_view name) const;
  [[nodiscard]] std::optional<core::IpAddress> source(netlink::InterfaceIndex index,
                                                      core::Family family) const;
  [[nodiscard]] netlink::Publication publication(const core::RouterKey& owner) const;
  [[nodiscard]] std::size_t owned_count() const { return keeper_.owned_count(); }
  /// The kernel has said something that nobody has read yet, or the first sweep is still to come.
  /// It has read what it has not told yet.
  [[nodiscard]] bool has_news() const { return !outbox_.empty(); }
  [[nodiscard]] bool is_behind() const { return !ear_.waiting.empty() || !has_swept_; }

 private:
  using News = std::variant<netlink::LinkEvent, netlink::AddressEvent, netlink::Notice>;
  void schedule();
  void turn();
  void progress();
  void drain();
  void record_changes();
  void send_batches();
  void deliver();
  void tell(const netlink::Notice& notice);
  void arm();

  World& world_;
  Process& process_;
  Kernel& kernel_;
  netlink::OwnedList& record_;
  Listener* listener_;
  netlink::Keeper keeper_;
  netlink::Mirror mirror_;
  Kernel::Ear ear_;
  std::deque<netlink::Batch> pending_;
  std::deque<News> outbox_;
  bool turn_is_planned_ = false;
  bool sweep_is_due_ = false;
  bool has_swept_ = false;
  std::optional<Instant> armed_for_;
};

}  // namespace holdfast::sim
