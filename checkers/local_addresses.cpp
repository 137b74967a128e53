#include "checkers/local_addresses.hpp"

#include "checkers/messages.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace holdfast::checkers {

LocalAddresses::LocalAddresses(runtime::Loop& loop, runtime::Logger& logger,
                               std::function<void()> on_change)
    : loop_(loop),
      logger_(logger),
      on_change_(std::move(on_change)),
      self_(std::make_shared<LocalAddresses*>(this)) {}

LocalAddresses::~LocalAddresses() {
  *self_ = nullptr;
}

void LocalAddresses::watch() {
  if (mirror_) return;
  // Without a run directory it keeps nothing and shows itself to nobody.
  mirror_.emplace(loop_.io(), logger_);
  mirror_->on_link([this](const netlink::LinkEvent&) { changed(); });
  mirror_->on_address([this](const netlink::AddressEvent&) { changed(); });
  if (const auto read = mirror_->load(); !read)
    logger_.log_text(messages::kNoAddresses, read.error().message);
}

bool LocalAddresses::has(const Place& place) const {
  if (!mirror_) return false;
  if (!place.interface.empty()) {
    const netlink::Link* link = mirror_->link(place.interface);
    return link != nullptr && mirror_->holds(link->index, place.address);
  }
  return std::ranges::any_of(mirror_->links(), [&](const netlink::Link& link) {
    return !link.loopback && mirror_->holds(link.index, place.address);
  });
}

bool LocalAddresses::has_anywhere(const core::IpAddress& address) const {
  return mirror_ && std::ranges::any_of(mirror_->links(), [&](const netlink::Link& link) {
           return mirror_->holds(link.index, address);
         });
}

void LocalAddresses::changed() {
  if (std::exchange(said_, true)) return;
  boost::asio::post(loop_.io(), [self = self_] {
    if (!*self) return;
    (*self)->said_ = false;
    (*self)->on_change_();
  });
}

}  // namespace holdfast::checkers
