#include "vrrp/core/dialect.hpp"

#include <algorithm>

namespace holdfast::vrrp {

std::string_view to_string(ChecksumForm form) {
  switch (form) {
    case ChecksumForm::with_pseudo_header:
      return "with_pseudo_header";
    case ChecksumForm::without_pseudo_header:
      return "without_pseudo_header";
    case ChecksumForm::with_group:
      return "with_group";
  }
  return "unknown";
}

std::uint8_t number_of(std::optional<ChecksumForm> form) {
  return form ? static_cast<std::uint8_t>(static_cast<int>(*form) + 1) : std::uint8_t{0};
}

std::optional<ChecksumForm> form_of_number(std::uint8_t number) {
  for (const ChecksumForm form : {ChecksumForm::with_pseudo_header,
                                  ChecksumForm::without_pseudo_header, ChecksumForm::with_group}) {
    if (number_of(form) == number) return form;
  }
  return std::nullopt;
}

void note_dialect(Dialects& dialects, const IpAddress& peer, ChecksumForm form, Instant now) {
  const auto known = std::find_if(dialects.begin(), dialects.end(),
                                  [&](const PeerDialect& each) { return each.peer == peer; });
  if (known != dialects.end()) {
    std::rotate(known, known + 1, dialects.end());
  } else {
    if (dialects.size() == kMostDialects) dialects.erase(dialects.begin());
    dialects.push_back({peer, form, 0, now});
  }
  PeerDialect& latest = dialects.back();
  latest.adverts = latest.form == form ? latest.adverts + 1 : 1;
  latest.form = form;
  latest.heard_at = now;
}

void forget_silent(Dialects& dialects, Instant since) {
  std::erase_if(dialects, [&](const PeerDialect& each) { return each.heard_at < since; });
}

FormsInUse forms_towards(const Dialects& dialects, const IpAddress& destination) {
  const bool is_group = destination.is_multicast();
  std::optional<ChecksumForm> latest;
  for (auto each = dialects.rbegin(); each != dialects.rend(); ++each) {
    if (!is_group && each->peer != destination) continue;
    if (!is_group) return {each->form};
    // Towards a group both forms with addresses are the same bytes.
    const ChecksumForm form =
        each->form == ChecksumForm::with_group ? ChecksumForm::with_pseudo_header : each->form;
    if (latest && *latest != form) return {*latest, form};
    latest = form;
  }
  return {latest.value_or(ChecksumForm::with_pseudo_header)};
}

}  // namespace holdfast::vrrp
