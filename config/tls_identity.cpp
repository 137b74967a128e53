#include "config/tls_identity.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <linux/capability.h>
#include <string>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace holdfast::config {
namespace {

constexpr std::size_t kLongestFile = 4u << 20;

// Never waits: what is no ordinary file (a pipe, a terminal) is refused.
core::Result<std::string> text_of(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return core::fail_errno(errno, "cannot read {}", path);
  struct stat status {};
  std::string text;
  ssize_t count = -1;
  const bool is_file = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
                       static_cast<std::size_t>(status.st_size) <= kLongestFile;
  if (is_file) {
    text.resize(static_cast<std::size_t>(status.st_size));
    count = ::read(fd, text.data(), text.size());
  }
  const int error = errno;
  ::close(fd);
  if (!is_file) return core::fail("{} is no ordinary file of a few kilobytes", path);
  if (count < 0) return core::fail_errno(error, "cannot read {}", path);
  text.resize(static_cast<std::size_t>(count));
  return text;
}

core::Result<std::string> text_of_word(std::string_view word, const std::string& path) {
  if (path.empty()) return std::string();
  auto text = text_of(path);
  if (!text)
    return core::Error(fmt::format("'{}' of SSL: {}", word, text.error().message),
                       text.error().system_errno);
  return text;
}

}  // namespace

core::Result<tls::Identity> texts_of(const TlsIdentity& written) {
  if (written.certificate.empty() && !written.key.empty())
    return core::fail("SSL has a 'key', but no 'certificate' that it belongs to");
  auto certificate = text_of_word("certificate", written.certificate);
  if (!certificate) return certificate.error();
  // One file may hold both, as the key of keepalived's samples does.
  auto key = text_of_word("key", written.key.empty() ? written.certificate : written.key);
  if (!key) return key.error();
  auto authorities = text_of_word("ca", written.ca);
  if (!authorities) return authorities.error();
  return tls::Identity{std::move(*certificate), std::move(*key), written.password,
                       std::move(*authorities)};
}

core::Result<tls::Context> context_of(const TlsIdentity& written,
                                      const core::Result<tls::Identity>& texts) {
  if (!texts) return texts.error();
  auto made = tls::Context::lenient(*texts);
  if (!made && written.certificate.empty())
    return core::fail("SSL without a certificate: {}", made.error().message);
  if (!made)
    return core::fail("SSL with certificate {} and key {}: {}", written.certificate,
                      written.key.empty() ? written.certificate : written.key,
                      made.error().message);
  return made;
}

bool sees_every_file() {
  if (::geteuid() == 0) return true;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3] = {};
  return ::syscall(SYS_capget, &header, held) == 0 &&
         (held[0].effective & (1U << CAP_DAC_READ_SEARCH)) != 0;
}

std::string unreadable_for_checkers(const TlsIdentity& written) {
  if (!sees_every_file()) return {};
  for (const std::string& path : {written.certificate, written.key, written.ca}) {
    struct stat status {};
    if (path.empty() || ::stat(path.c_str(), &status) != 0) continue;
    const unsigned wanted = status.st_uid == 0 ? S_IRUSR : status.st_gid == 0 ? S_IRGRP : S_IROTH;
    if ((status.st_mode & wanted) == 0)
      return fmt::format(
          "the checkers cannot read {} (owner {}, mode {:04o}): they are root without the right to "
          "pass over permissions",
          path, status.st_uid, status.st_mode & 07777U);
  }
  return {};
}

}  // namespace holdfast::config
