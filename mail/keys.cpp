#include "mail/keys.hpp"

#include "runtime/small_file.hpp"

namespace holdfast::mail {
namespace {

constexpr std::string_view kFile = "file:";
constexpr std::size_t kLongestPassword = 1024;
/// The authorities of Debian take 220 kB.
constexpr std::size_t kLongestAuthorities = 4u << 20;

core::Result<std::string> password_of(const std::string& written) {
  if (!written.starts_with(kFile)) return written;
  auto text = runtime::read_named_file(written.substr(kFile.size()), kLongestPassword);
  if (!text)
    return core::fail("the password of the mail relay cannot be read: {}", text.error().message);
  text->resize(std::min(text->find_first_of("\r\n"), text->size()));
  if (text->empty())
    return core::fail("the password of the mail relay cannot be read: {} begins with an empty line",
                      written.substr(kFile.size()));
  return text;
}

core::Result<tls::Context> context_of(const std::string& path) {
  if (path.empty()) return tls::Context::strict({});
  const auto text = runtime::read_named_file(path, kLongestAuthorities);
  if (!text) return core::fail("smtp_ca cannot be read: {}", text.error().message);
  auto made = tls::Context::strict(*text);
  if (!made) return core::fail("smtp_ca {} cannot be used: {}", path, made.error().message);
  return made;
}

}  // namespace

core::Result<OpenedKeys> open_keys(const Keys& keys) {
  OpenedKeys opened;
  if (keys.protection == Protection::none) return opened;
  auto context = context_of(keys.authorities);
  if (!context) return context.error();
  opened.context = std::move(*context);
  if (keys.user.empty() || keys.password.empty()) return opened;  // the reader has said so
  auto password = password_of(keys.password);
  if (!password) return password.error();
  opened.login = Login{keys.user, std::move(*password)};
  return opened;
}

}  // namespace holdfast::mail
