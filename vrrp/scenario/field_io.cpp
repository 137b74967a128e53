#include "vrrp/scenario/field_io.hpp"

namespace holdfast::vrrp::scenario {

FieldReader::FieldReader(std::span<const std::string> words) {
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos)
      throw FormatError(fmt::format("'{}' should be a name, '=' and a value", one_line(word)));
    fields_.push_back({word.substr(0, equals), word.substr(equals + 1)});
  }
}

void FieldReader::finish() const {
  for (const Field& each : fields_) {
    if (!each.taken) throw FormatError(fmt::format("there is no '{}' here", one_line(each.key)));
  }
}

bool FieldReader::has(std::string_view key) const {
  const std::string whole = prefix_ + std::string(key);
  return std::any_of(fields_.begin(), fields_.end(),
                     [&](const Field& each) { return each.key == whole; });
}

const std::string* FieldReader::take(std::string_view key) {
  const std::string whole = prefix_ + std::string(key);
  const auto found = std::find_if(fields_.begin(), fields_.end(), [&](const Field& each) {
    return each.key == whole && !each.taken;
  });
  if (found == fields_.end()) return nullptr;
  found->taken = true;
  return &found->value;
}

}  // namespace holdfast::vrrp::scenario
