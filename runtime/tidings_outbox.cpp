#include "runtime/tidings_outbox.hpp"

#include <utility>

namespace holdfast::runtime {

void TidingsOutbox::add(Tidings tidings) {
  const std::uint64_t id = ++last_id_;
  tidings.id = id;
  if (!tidings.title.empty()) {
    const auto former = letters_.find(tidings.subject);
    if (former != letters_.end()) {
      const std::uint64_t old = former->second;
      drop_letter(entries_.at(old));
      erase_if_empty(old);
    }
    letters_[tidings.subject] = id;
  }
  if (!tidings.line.empty()) with_line_.insert(id);
  entries_.emplace(id, std::move(tidings));
  unsent_.insert(id);
  erase_if_empty(id);
  if (with_line_.size() <= kMostLines) return;
  const std::uint64_t oldest = *with_line_.begin();
  drop_line(entries_.at(oldest));
  erase_if_empty(oldest);
  ++lost_;
}

Tidings TidingsOutbox::take_unsent() {
  const std::uint64_t id = *unsent_.begin();
  unsent_.erase(unsent_.begin());
  Tidings copy = entries_.at(id);
  copy.lost = std::exchange(lost_, 0);
  return copy;
}

void TidingsOutbox::on(const TidingsReport& report) {
  const auto found = entries_.find(report.id);
  if (found == entries_.end()) return;
  drop_line(found->second);
  if (report.what == TidingsReport::What::settled) drop_letter(found->second);
  erase_if_empty(report.id);
}

void TidingsOutbox::on_disconnected() {
  for (const auto& [id, tidings] : entries_) unsent_.insert(id);
}

void TidingsOutbox::drop_line(Tidings& tidings) {
  with_line_.erase(tidings.id);
  tidings.line.clear();
}

void TidingsOutbox::drop_letter(Tidings& tidings) {
  const auto letter = letters_.find(tidings.subject);
  if (letter != letters_.end() && letter->second == tidings.id) letters_.erase(letter);
  tidings.title.clear();
  tidings.body.clear();
}

void TidingsOutbox::erase_if_empty(std::uint64_t id) {
  const Tidings& tidings = entries_.at(id);
  if (!tidings.line.empty() || !tidings.title.empty()) return;
  entries_.erase(id);
  unsent_.erase(id);
}

}  // namespace holdfast::runtime
