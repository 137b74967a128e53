// Announcements on their way: gratuitous ARP and neighbour advertisements of all instances, some at
// a time. The executor queues them, the engine lets them go when nothing is more urgent.
#pragma once

#include "core/time.hpp"
#include "netlink_reflector/reflector.hpp"
#include "vrrp/core/action.hpp"
#include "vrrp/core/announce_queue.hpp"
#include "vrrp/core/event.hpp"
#include "vrrp/io/announce_socket.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace holdfast::vrrp {

class Announcer {
 public:
  /// Frames of one send().
  static constexpr std::size_t kFramesAtOnce = 256;
  /// After the system took no more it is asked again.
  static constexpr core::Duration kPause = std::chrono::milliseconds(5);
  /// An interface that takes nothing for so long gets no more of what waits.
  static constexpr core::Duration kPatience = std::chrono::seconds(2);

  using Complain = std::function<void(const std::string& interface, const std::string& why)>;

  Announcer(AnnounceSocket socket, netlink::Reflector& reflector, Complain complain)
      : socket_(std::move(socket)), reflector_(reflector), complain_(std::move(complain)) {}

  void set_pace(const Pace& pace) { queue_.set_pace(pace); }
  /// What waits for the same instance already is not announced twice: the newer list counts.
  void add(const Announce& announce) { queue_.add(announce); }
  /// These give their addresses up.
  void forget(const std::unordered_set<RouterKey>& routers);

  [[nodiscard]] bool has_work() const { return !queue_.empty() || !frames_.empty(); }
  /// When send() is to be called again; nullopt: nothing waits.
  [[nodiscard]] std::optional<core::Instant> due_at() const;
  /// Sends some. `answers` gets AnnouncementsRefused.
  void send(core::Instant now, std::vector<Event>& answers);

 private:
  struct Frame {
    core::Shared<Subject> router;
    AnnounceFrame bytes;
  };

  void fill(core::Instant now);
  [[nodiscard]] bool append_frame(const AnnounceQueue::Candidate& candidate);
  [[nodiscard]] ForwardsPackets forwards(const std::string& interface);
  [[nodiscard]] bool has_waited_enough(core::Instant now);

  AnnounceSocket socket_;
  netlink::Reflector& reflector_;
  Complain complain_;
  AnnounceQueue queue_;
  std::vector<Frame> frames_;                        // the system has not taken them yet
  std::map<std::string, ForwardsPackets> forwards_;  // as it was when frames_ were filled
  std::optional<core::Instant> paused_until_;
  std::optional<core::Instant> full_since_;
};

}  // namespace holdfast::vrrp
