// What the VRRP process tells on its control socket. Instances are copied, a few a turn of the
// loop; the text is made of the copies in another thread.
#pragma once

#include "netlink_reflector/reflector.hpp"
#include "runtime/control_socket.hpp"
#include "vrrp/core/router.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <vector>

namespace holdfast::vrrp {

/// The reply to {"command":"status"}. Durations are in milliseconds (…_ms), moments ISO-8601 UTC
/// (…_at). What belongs to one instance is of one moment; the whole may be of several turns.
class StatusDocument final : public runtime::ControlDocument {
 public:
  /// So many instances and addresses are copied in one turn: some hundred microseconds.
  static constexpr std::size_t kMostCopies = 128;

  /// `router` and `reflector` outlive the document; `generation` is of the configuration.
  StatusDocument(const Router& router, const netlink::Reflector& reflector,
                 std::uint64_t generation);
  runtime::ControlPiece next() override;

 private:
  [[nodiscard]] runtime::ControlPiece head() const;
  [[nodiscard]] runtime::ControlPiece some_instances();

  enum class Step : std::uint8_t { head, instances, over };
  const Router& router_;
  const netlink::Reflector& reflector_;
  std::uint64_t generation_;
  Step step_ = Step::head;
  std::vector<RouterKey> keys_;  // of what was there when it began
  std::size_t told_ = 0;
};

/// One instance and what became of its addresses.
[[nodiscard]] boost::json::object instance_status(const Instance& instance,
                                                  const netlink::Publication& publication,
                                                  core::Instant now);

/// What is wrong with an instance although it is no fault: the service goes on without it.
[[nodiscard]] boost::json::array troubles_of(const Instance& instance, core::Instant now);

}  // namespace holdfast::vrrp
