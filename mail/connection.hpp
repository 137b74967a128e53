// Bytes to a mail relay and back, in clear text and then through TLS. Everything here waits, and no
// longer than it is told: used by the process that lives for one session.
#pragma once

#include "core/time.hpp"
#include "runtime/unique_fd.hpp"

#include "tls/client.hpp"
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::mail {

/// 0, or an errno; ETIMEDOUT when the time is over.
[[nodiscard]] int wait_for(int fd, short events, core::Instant end);

class Connection {
 public:
  /// Owns a connected socket that does not block.
  explicit Connection(runtime::UniqueFd fd) : fd_(std::move(fd)) {}

  /// Empty: from now on everything goes through TLS. Otherwise a sentence. `name`: whose
  /// certificate it has to be.
  [[nodiscard]] std::string secure(const tls::Context& context, const std::string& name,
                                   core::Instant end);
  /// 0, or an errno.
  [[nodiscard]] int send(std::string_view bytes, core::Instant end);
  /// What has come in, after waiting for something; nothing may be all that comes of it.
  [[nodiscard]] int receive(std::string& received, bool& is_closed, core::Instant end);

 private:
  [[nodiscard]] int send_raw(std::string_view bytes, core::Instant end);
  [[nodiscard]] int receive_raw(std::string& received, bool& is_closed, core::Instant end);
  [[nodiscard]] bool read_plain(std::string& received, bool& is_closed);
  [[nodiscard]] std::string refused(const std::string& name);

  runtime::UniqueFd fd_;
  std::optional<tls::Client> tls_;
};

}  // namespace holdfast::mail
