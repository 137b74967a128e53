#include "checkers/io/owned_file.hpp"

#include "runtime/small_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>

namespace holdfast::checkers {

namespace {

constexpr std::string_view kHeader = "holdfast-owned-services-1";
/// A quarter of a million services. What is longer is not ours.
constexpr std::size_t kLongest = std::size_t{16} << 20;

template <class Number>
bool parse_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

std::string line_of(const ipvs::AddressKey& key) {
  return fmt::format("{} {} {}\n", static_cast<unsigned>(key.protocol),
                     key.endpoint.address.to_string(), key.endpoint.port);
}
std::string line_of(const ipvs::MarkKey& key) {
  return fmt::format("mark {} {}\n", key.mark, key.family == core::Family::v4 ? 4 : 6);
}

std::optional<ipvs::ServiceKey> parse_line(const std::string& line) {
  std::istringstream words(line);
  std::string first, second, third, rest;
  if (!(words >> first >> second >> third) || words >> rest) return std::nullopt;
  if (first == "mark") {
    ipvs::MarkKey key;
    if (!parse_number(second, key.mark) || key.mark == 0 || (third != "4" && third != "6"))
      return std::nullopt;
    key.family = third == "4" ? core::Family::v4 : core::Family::v6;
    return key;
  }
  ipvs::AddressKey key;
  std::uint16_t protocol = 0;
  const auto address = core::IpAddress::parse(second);
  if (!parse_number(first, protocol) || !address || !parse_number(third, key.endpoint.port))
    return std::nullopt;
  key.protocol = static_cast<ipvs::Protocol>(protocol);
  key.endpoint.address = *address;
  return key;
}

}  // namespace

std::string write_owned(const ipvs::OwnedKeys& keys, std::string_view boot_id) {
  std::string text = fmt::format("{} {}\n", kHeader, boot_id);
  for (const ipvs::ServiceKey& key : keys)
    text += std::visit([](const auto& one) { return line_of(one); }, key);
  return text;
}

core::Result<ipvs::OwnedKeys> parse_owned(std::string_view text, std::string_view boot_id) {
  std::istringstream lines{std::string(text)};
  std::string line;
  ipvs::OwnedKeys keys;
  if (!std::getline(lines, line) || !line.starts_with(kHeader))
    return core::fail("line 1 is not \"{} …\"", kHeader);
  if (line != fmt::format("{} {}", kHeader, boot_id)) return keys;
  for (int number = 2; std::getline(lines, line); ++number) {
    const auto key = parse_line(line);
    if (!key) return core::fail("line {} names no service: \"{}\"", number, line);
    keys.insert(*key);
  }
  return keys;
}

OwnedFile::OwnedFile(std::string path) : path_(std::move(path)), boot_id_(runtime::boot_id()) {}

core::Result<ipvs::OwnedKeys> OwnedFile::load() const {
  const auto text = runtime::read_small_file(path_, kLongest);
  if (!text && text.error().system_errno == ENOENT) return ipvs::OwnedKeys{};
  if (!text) return text.error();
  auto keys = parse_owned(*text, boot_id_);
  if (!keys) return core::fail("cannot use {}: {}", path_, keys.error().message);
  return keys;
}

core::Result<void> OwnedFile::save(const ipvs::OwnedKeys& keys) const {
  return runtime::replace_file(path_, write_owned(keys, boot_id_), 0644);
}

}  // namespace holdfast::checkers
