// What is behind Reflector: mirror, keeper and sockets, and the turns that bring them together.
// Internal to netlink_reflector/; its bodies are in reflector_turn.cpp and reflector_reading.cpp.
#pragma once

#include "netlink_reflector/core/keeper.hpp"
#include "netlink_reflector/news.hpp"
#include "netlink_reflector/owned_file.hpp"
#include "netlink_reflector/presence.hpp"
#include "netlink_reflector/reflector.hpp"
#include "netlink_reflector/requests.hpp"
#include "netlink_reflector/socket.hpp"
#include "runtime/loop.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <deque>

namespace holdfast::netlink {

class Reflector::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& io, runtime::Logger& logger, ReflectorOptions options);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  core::Result<void> load();
  void schedule();
  void flush();
  bool advance(core::Instant until);
  void look() { drain_events(); }
  void before_work(std::function<void()> callback) { before_work_ = std::move(callback); }

  Keeper& keeper() { return keeper_; }
  [[nodiscard]] bool has_inherited() const { return has_inherited_; }
  [[nodiscard]] const Mirror& mirror() const { return mirror_; }
  News& news() { return news_; }

 private:
  /// A batch, and the answers to as many of its steps as were sent.
  struct Sending {
    Batch batch;
    std::vector<StepResult> results;
  };

  void wait_for_events();
  void turn();
  void progress(core::Instant until);
  void drain_events();
  void take(const Payload& payload);
  void note(const std::optional<LinkEvent>& event);
  void note(const std::optional<AddressEvent>& event);
  core::Result<void> read_everything();
  core::Result<void> read_addresses();
  void look_for_late_addresses(const Batch& batch, const std::vector<StepResult>& results);
  void resync();
  void inherit();
  void record_changes();
  void send_batches(core::Instant until);
  void send_piece(Sending& sending);
  [[nodiscard]] bool is_working() const { return keeper_.has_work() || !pending_.empty(); }
  void arm();

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  ReflectorOptions options_;
  Keeper keeper_;
  News news_;
  OwnedFile owned_;
  std::optional<Presence> presence_;
  Mirror mirror_;
  std::optional<RouteSocket> events_;
  std::optional<Requests> requests_;
  boost::asio::posix::stream_descriptor readable_;
  runtime::DeadlineTimer timer_;
  std::deque<Sending> pending_;
  std::function<void()> before_work_;
  bool links_have_moved_ = false;
  bool turn_is_posted_ = false;
  bool resync_is_due_ = false;
  bool undrained_ = false;
  bool has_inherited_ = false;
  bool record_is_broken_ = false;
  std::optional<core::Instant> resync_at_;
};

}  // namespace holdfast::netlink
