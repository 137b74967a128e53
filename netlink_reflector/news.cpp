#include "netlink_reflector/news.hpp"

#include "netlink_reflector/messages.hpp"
#include "runtime/log.hpp"

#include <utility>

namespace holdfast::netlink {

void News::deliver() {
  while (!items_.empty()) {
    const Item item = std::move(items_.front());
    items_.pop_front();
    tell(item);
  }
  items_ = {};  // the room that a burst needed
  for (const auto& [owner, prefixes] : std::exchange(repaired_, {})) {
    for (const auto& callback : on_repaired) callback(owner, prefixes);
  }
}

void News::tell(const Item& item) {
  if (const auto* link = std::get_if<LinkEvent>(&item)) {
    for (const auto& callback : on_link) callback(*link);
  } else if (const auto* address = std::get_if<AddressEvent>(&item)) {
    for (const auto& callback : on_address) callback(*address);
  } else if (const auto* notice = std::get_if<Notice>(&item)) {
    tell(*notice);
  }
}

void News::tell(const Notice& notice) {
  if (const auto* published = std::get_if<Published>(&notice)) {
    for (const auto& callback : on_published) callback(published->owner, published->publication);
  } else if (const auto* lost = std::get_if<Lost>(&notice)) {
    logger_.log(kAddressLost, "{}: {}", core::to_string(lost->owner),
                lost->publication.first_problem());
    for (const auto& callback : on_lost) callback(lost->owner, lost->publication);
  } else if (const auto* repaired = std::get_if<Repaired>(&notice)) {
    logger_.log(kAddressRepaired, "{} was removed from {} by somebody else; put back",
                repaired->prefix.to_string(), repaired->interface);
    for (const core::RouterKey& owner : repaired->owners) {
      repaired_[owner].push_back(repaired->prefix);
    }
  } else if (const auto* refused = std::get_if<Refused>(&notice)) {
    logger_.log(kStepRefused, "{}", refused->sentence);
  } else if (const auto* foreign = std::get_if<Foreign>(&notice)) {
    logger_.log(kAddressForeign,
                "{} is on {} and was not put there by this director: it stays, also when another "
                "director has it",
                foreign->prefix.to_string(), foreign->interface);
  } else if (const auto* left = std::get_if<LeftOver>(&notice)) {
    logger_.log(kLeftOver, "taking off {}, which an earlier process left on {}",
                left->prefix.to_string(), left->interface);
  }
}

}  // namespace holdfast::netlink
