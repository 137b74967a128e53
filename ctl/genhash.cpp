#include "ctl/genhash.hpp"

#include "checkers/core/tls.hpp"
#include "checkers/io/probe_socket.hpp"
#include "checkers/io/socket_address.hpp"
#include "ctl/client.hpp"
#include "ctl/commands.hpp"
#include "runtime/clock.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <variant>

namespace holdfast::ctl {
namespace {

using checkers::HttpDialogue;
using checkers::TlsDialogue;

/// Of any status: whoever wants the digest of an error page gets it, as by keepalived's.
constexpr checkers::StatusRange kAnyStatus{100, 999};
/// Something to differ from: the digest is what we are after.
constexpr std::string_view kNoDigest = "00000000000000000000000000000000";

checkers::HttpVersion version_of(const std::string& word) {
  if (word == "1.1") return checkers::HttpVersion::http_1_1;
  return word == "1.0" ? checkers::HttpVersion::http_1_0 : checkers::HttpVersion::http_1_0_close;
}

std::string text_of(int error) {
  return std::system_category().message(error);
}

/// 0, or an errno.
int wait_for(int fd, short events, core::Instant end) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - runtime::now()).count();
    pollfd one{fd, events, 0};
    const int count = ::poll(&one, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (count > 0) return 0;
    if (count == 0) return ETIMEDOUT;
    if (errno != EINTR) return errno;
  }
}

int connect_to(int fd, const core::Endpoint& target, core::Instant end) {
  const checkers::SocketAddress address(target);
  if (::connect(fd, address.get(), address.size()) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (const int error = wait_for(fd, POLLOUT, end); error != 0) return error;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

int send_all(int fd, std::string_view bytes, core::Instant end) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
    if (count > 0 || errno == EINTR) continue;
    if (errno != EAGAIN) return errno;
    if (const int error = wait_for(fd, POLLOUT, end); error != 0) return error;
  }
  return 0;
}

/// The talk, to its verdict; or why there is none.
template <class Dialogue>
std::variant<checkers::Outcome, std::string> talk(int fd, Dialogue& dialogue, core::Instant end) {
  std::array<char, 65536> buffer{};
  std::string_view received;
  bool is_closed = false;
  while (true) {
    const checkers::Step step = dialogue.advance(received, is_closed);
    received = {};
    if (const auto* verdict = std::get_if<checkers::Verdict>(&step)) return verdict->outcome;
    if (const auto* send = std::get_if<checkers::Send>(&step)) {
      if (const int error = send_all(fd, send->bytes, end); error != 0) return text_of(error);
      continue;
    }
    if (const int error = wait_for(fd, POLLIN, end); error != 0) return text_of(error);
    const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno != EAGAIN && errno != EINTR) return text_of(errno);
    is_closed = count == 0;
    if (count > 0) received = std::string_view(buffer.data(), static_cast<std::size_t>(count));
  }
}

int complain_about(const GenhashWords& words, std::string_view what, std::string_view why) {
  complain(fmt::format("{} {} port {}: {}", what, words.server, words.port, why));
  return kFailed;
}

int print_digest(const GenhashWords& words, const std::variant<checkers::Outcome, std::string>& end,
                 const HttpDialogue& spoken, core::Duration took) {
  if (const auto* why = std::get_if<std::string>(&end))
    return complain_about(words, "no reply of", *why);
  const auto& outcome = std::get<checkers::Outcome>(end);
  if (spoken.digest().empty())
    return complain_about(words, "no digest of the reply of", outcome.reason);
  fmt::print("{}\n", spoken.digest());
  if (words.verbose)
    fmt::print("\nstatus {}\nGlobal response time for [{}] = {} usecs\n", spoken.status(),
               words.path, took.count());
  return 0;
}

}  // namespace

int run_genhash(const GenhashWords& words) {
  const auto address = core::IpAddress::parse(words.server);
  if (!address)
    return complain_about(words, "the server has to be an address:", "it is no address");
  const checkers::ProbeSettings settings{.target = {*address, words.port}, .mark = words.mark};
  auto opened = checkers::open_probe_socket(settings, {SOCK_STREAM, IPPROTO_TCP});
  if (const auto* outcome = std::get_if<checkers::Outcome>(&opened))
    return complain_about(words, "cannot ask", outcome->reason);
  const int fd = std::get<runtime::UniqueFd>(opened).get();
  const core::Instant began = runtime::now();
  const core::Instant end = began + std::chrono::seconds(words.timeout);
  if (const int error = connect_to(fd, settings.target, end); error != 0)
    return complain_about(words, "cannot connect to", text_of(error));
  checkers::HttpUrl url{.path = words.path,
                        .statuses = {kAnyStatus},
                        .digest = std::string(kNoDigest),
                        .virtualhost = words.virtualhost};
  // As SSL_GET does it: a server may have another page for each name.
  if (words.tls) url.tls = checkers::TlsSettings{.name = checkers::host_name(words.virtualhost)};
  HttpDialogue plain(url, version_of(words.protocol), settings.target);
  if (!url.tls) {
    const auto outcome = talk(fd, plain, end);
    return print_digest(words, outcome, plain, runtime::now() - began);
  }
  TlsDialogue secured(*url.tls, std::move(plain));
  const auto outcome = talk(fd, secured, end);
  return print_digest(words, outcome, secured.inner(), runtime::now() - began);
}

void add_genhash_words(CLI::App& verb, GenhashWords& words) {
  verb.add_option("-s,--server", words.server, "Address of the server")
      ->type_name("ADDRESS")
      ->required();
  verb.add_option("-p,--port", words.port, "Its port")->type_name("PORT")->required();
  verb.add_option("-u,--url", words.path, "Path of the page")->type_name("PATH")->required();
  verb.add_flag("-S,--use-ssl", words.tls, "Over TLS");
  verb.add_flag("-I,--use-sni", words.sni,
                "The name of -V is in the TLS hello, as SSL_GET has it: always so here");
  verb.add_option("-V,--use-virtualhost", words.virtualhost, "Host header")->type_name("NAME");
  verb.add_option("-P,--protocol", words.protocol, "1.0, 1.0c (closes the connection) or 1.1")
      ->check(CLI::IsMember({"1.0", "1.0c", "1.0C", "1.1"}));
  verb.add_option("-t,--timeout", words.timeout, "For everything, seconds")
      ->check(CLI::Range(1U, 3600U));
  verb.add_option("-m,--fwmark", words.mark, "Firewall mark of the packets");
  verb.add_flag("-v,--verbose", words.verbose, "Also the status and the time it took");
}

std::optional<int> run_genhash_by_name(std::string_view program,
                                       std::span<const std::string> given) {
  const std::size_t slash = program.rfind('/');
  if (slash != std::string_view::npos) program.remove_prefix(slash + 1);
  if (program != "genhash") return std::nullopt;
  GenhashWords words;
  CLI::App app{"The MD5 digest of a page, for `digest` of HTTP_GET and SSL_GET.", "genhash"};
  add_genhash_words(app, words);
  try {
    app.parse(std::vector<std::string>(given.rbegin(), given.rend()));
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kFailed;
  }
  return run_genhash(words);
}

}  // namespace holdfast::ctl
