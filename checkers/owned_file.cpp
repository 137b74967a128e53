#include "checkers/owned_file.hpp"

#include "runtime/unique_fd.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace holdfast::checkers {

namespace {

constexpr std::string_view kHeader = "holdfast-owned-services-1";

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

OwnedFile::OwnedFile(std::string path) : path_(std::move(path)) {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::getline(file, boot_id_);
}

core::Result<ipvs::OwnedKeys> OwnedFile::load() const {
  std::ifstream file(path_);
  if (!file) return ipvs::OwnedKeys{};
  std::stringstream text;
  text << file.rdbuf();
  auto keys = parse_owned(text.str(), boot_id_);
  if (!keys) return core::fail("cannot use {}: {}", path_, keys.error().message);
  return keys;
}

core::Result<void> OwnedFile::save(const ipvs::OwnedKeys& keys) const {
  const std::string text = write_owned(keys, boot_id_);
  const std::string fresh = path_ + ".new";
  runtime::UniqueFd fd(
      ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd) return core::fail_errno(errno, "cannot write {}", fresh);
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = ::write(fd.get(), text.data() + written, text.size() - written);
    if (count < 0) return core::fail_errno(errno, "cannot write {}", fresh);
    written += static_cast<std::size_t>(count);
  }
  if (std::rename(fresh.c_str(), path_.c_str()) != 0)
    return core::fail_errno(errno, "cannot replace {}", path_);
  return {};
}

}  // namespace holdfast::checkers
