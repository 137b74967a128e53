#include "netlink_reflector/reflector.hpp"

#include "netlink_reflector/reflector_impl.hpp"

namespace holdfast::netlink {

Reflector::Reflector(boost::asio::io_context& io, runtime::Logger& logger, ReflectorOptions options)
    : impl_(std::make_shared<Impl>(io, logger, options)) {}

Reflector::~Reflector() = default;

core::Result<void> Reflector::load() {
  return impl_->load();
}

const Link* Reflector::link(std::string_view name) const {
  return impl_->mirror().links.find(name);
}
const Link* Reflector::link(InterfaceIndex index) const {
  return impl_->mirror().links.find(index);
}
std::vector<Link> Reflector::links() const {
  return impl_->mirror().links.all();
}

bool Reflector::holds(InterfaceIndex index, const core::IpAddress& address) const {
  return impl_->mirror().addresses.has(index, address);
}
std::vector<Address> Reflector::addresses(InterfaceIndex index) const {
  return impl_->mirror().addresses.on(index);
}
std::optional<core::IpAddress> Reflector::primary_v4(InterfaceIndex index) const {
  return impl_->keeper().source(impl_->mirror(), index, core::Family::v4);
}
std::optional<core::IpAddress> Reflector::link_local(InterfaceIndex index) const {
  return impl_->keeper().source(impl_->mirror(), index, core::Family::v6);
}
bool Reflector::is_usable(const core::IpAddress& address, InterfaceIndex from) const {
  const AddressTable& all = impl_->mirror().addresses;
  const bool is_of_the_link = !address.is_v4() && address.is_link_local();
  return is_of_the_link ? all.is_usable(from, address) : all.is_usable(address);
}
bool Reflector::is_ours(const core::IpAddress& address) const {
  return impl_->keeper().is_ours(address);
}

void Reflector::look() {
  impl_->look();
}
void Reflector::before_work(std::function<void()> callback) {
  impl_->before_work(std::move(callback));
}
void Reflector::on_link(std::function<void(const LinkEvent&)> callback) {
  impl_->news().on_link.push_back(std::move(callback));
}
void Reflector::on_address(std::function<void(const AddressEvent&)> callback) {
  impl_->news().on_address.push_back(std::move(callback));
}
void Reflector::on_published(
    std::function<void(const core::RouterKey& owner, const Publication&)> callback) {
  impl_->news().on_published.push_back(std::move(callback));
}
void Reflector::on_lost(
    std::function<void(const core::RouterKey& owner, const Publication&)> callback) {
  impl_->news().on_lost.push_back(std::move(callback));
}
void Reflector::on_repaired(
    std::function<void(const core::RouterKey& owner, const std::vector<core::IpPrefix>&)>
        callback) {
  impl_->news().on_repaired.push_back(std::move(callback));
}

void Reflector::claim(const core::RouterKey& owner, std::vector<DesiredAddress> addresses) {
  impl_->keeper().claim(owner, std::move(addresses));
  impl_->schedule();
}
void Reflector::hold(const core::RouterKey& owner, std::vector<DesiredAddress> addresses) {
  impl_->keeper().hold(owner, std::move(addresses));
  impl_->schedule();
}
void Reflector::release(const core::RouterKey& owner) {
  impl_->keeper().release(owner);
  impl_->schedule();
}
void Reflector::forget(const core::RouterKey& owner) {
  impl_->keeper().forget(owner);
  impl_->schedule();
}
void Reflector::sweep_leftovers(Statics statics) {
  impl_->keeper().sweep_leftovers(statics);
  impl_->schedule();
}
void Reflector::flush() {
  impl_->flush();
}
bool Reflector::advance(core::Instant until) {
  return impl_->advance(until);
}

Publication Reflector::publication(const core::RouterKey& owner) const {
  return impl_->keeper().publication(owner, impl_->mirror());
}
bool Reflector::is_wanted(std::string_view interface) const {
  return impl_->keeper().is_wanted(interface);
}
bool Reflector::is_complete() const {
  return impl_->has_inherited();
}
std::size_t Reflector::owned_count() const {
  return impl_->keeper().owned_count();
}
std::size_t Reflector::staying_count() const {
  return impl_->keeper().staying_count();
}
const ReflectorCounters& Reflector::counters() const {
  return impl_->keeper().counters();
}

}  // namespace holdfast::netlink
