#include "runtime/control_client.hpp"
#include "runtime/control_socket.hpp"
#include "runtime/unique_fd.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include <cerrno>
#include <cstring>
#include <fstream>
#include <future>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace holdfast;
using namespace holdfast::runtime;
using namespace std::chrono_literals;
using testing::run_until;
namespace json = boost::json;

namespace {

struct Served {
  testing::TemporaryDirectory directory;
  std::string path = directory / "vrrp.sock";
  boost::asio::io_context io;
  std::unique_ptr<ControlServer> server = *ControlServer::listen(io, path);

  /// The client blocks, so it lives in a thread of its own while the loop serves it.
  core::Result<json::object> ask(const json::object& request, core::Duration timeout = 10s) {
    auto answer =
        std::async(std::launch::async, [&] { return control_request(path, request, timeout); });
    REQUIRE(run_until(io, [&] { return answer.wait_for(0s) == std::future_status::ready; }));
    return answer.get();
  }
  /// What comes back for these raw bytes, until the server is quiet.
  std::string ask_raw(const std::string& bytes, std::size_t lines) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    std::string got;
    std::size_t sent = 0;
    run_until(io, [&] {
      if (sent < bytes.size()) {
        const ssize_t count = ::send(socket.get(), bytes.data() + sent, bytes.size() - sent,
                                     MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count > 0) sent += static_cast<std::size_t>(count);
      }
      char piece[4096];
      const ssize_t count = ::recv(socket.get(), piece, sizeof piece, MSG_DONTWAIT);
      if (count > 0) got.append(piece, static_cast<std::size_t>(count));
      return count == 0 ||
             static_cast<std::size_t>(std::count(got.begin(), got.end(), '\n')) >= lines;
    });
    return got;
  }
};

}  // namespace

TEST_CASE("control socket: a command gets the whole request and its reply comes back") {
  Served served;
  served.server->handle("echo", ControlAccess::read,
                        [](const json::object& request, const ControlReply& reply) {
                          reply({{"said", request.at("word")}});
                        });

  const auto answer = served.ask({{"command", "echo"}, {"word", "hello"}});

  REQUIRE(answer.has_value());
  CHECK(*answer == json::object{{"said", "hello"}});
}

TEST_CASE("control socket: a reply may come later; others are served meanwhile") {
  Served served;
  ControlReply later;
  served.server->handle("reload", ControlAccess::change,
                        [&](const json::object&, ControlReply reply) { later = std::move(reply); });
  served.server->handle("status", ControlAccess::read,
                        [](const json::object&, const ControlReply& reply) {
                          reply({{"ok", true}});
                        });
  auto waiting = std::async(std::launch::async, [&] {
    return control_request(served.path, {{"command", "reload"}}, 10s);
  });
  REQUIRE(run_until(served.io, [&] { return bool(later); }));

  CHECK(served.ask({{"command", "status"}}).value() == json::object{{"ok", true}});
  later({{"generation", 2}});
  later({{"generation", 3}});  // a second answer is ignored

  REQUIRE(run_until(served.io, [&] { return waiting.wait_for(0s) == std::future_status::ready; }));
  CHECK(waiting.get().value() == json::object{{"generation", 2}});
}

TEST_CASE("control socket: what cannot be understood gets a sentence, and the connection goes on") {
  Served served;
  const std::string got = served.ask_raw("nonsense\n[1]\n{}\n{\"command\":\"fly\"}\n", 4);
  CHECK(got ==
        "{\"error\":\"the request is not a JSON object\"}\n"
        "{\"error\":\"the request is not a JSON object\"}\n"
        "{\"error\":\"the request names no \\\"command\\\"\"}\n"
        "{\"error\":\"there is no command \\\"fly\\\" here\"}\n");
}

TEST_CASE("control socket: an endless request is cut off") {
  Served served;
  const std::string got = served.ask_raw(std::string(2 * ControlServer::kMaxRequestBytes, ' '), 1);
  CHECK(got.find("longer than 65536") != std::string::npos);
}

TEST_CASE("control socket: a client that leaves before its answer disturbs nobody") {
  Served served;
  ControlReply later;
  served.server->handle("slow", ControlAccess::read,
                        [&](const json::object&, ControlReply reply) { later = std::move(reply); });
  const auto answer = served.ask({{"command", "slow"}}, 30ms);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().system_errno == ETIMEDOUT);
  REQUIRE(bool(later));
  later({{"ok", true}});
  CHECK(served.ask({{"command", "fly"}}).has_value());
}

TEST_CASE("control socket: only root and the owner may change, others may read") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: needs root to become somebody else");
    return;
  }
  Served served;
  ::chmod((served.directory / "").c_str(), 0755);
  const auto handler = [](const json::object&, const ControlReply& reply) {
    reply({{"ok", true}});
  };
  served.server->handle("status", ControlAccess::read, handler);
  served.server->handle("stop", ControlAccess::change, handler);

  const auto ask_as_nobody = [&](const char* command) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      if (::setuid(65534) != 0) ::_exit(9);
      const auto answer = control_request(served.path, {{"command", command}}, 10s);
      ::_exit(!answer ? 2 : answer->contains("error") ? 1 : 0);
    }
    int status = 0;
    REQUIRE(run_until(served.io, [&] { return ::waitpid(pid, &status, WNOHANG) == pid; }));
    return WEXITSTATUS(status);
  };
  CHECK(ask_as_nobody("status") == 0);
  CHECK(ask_as_nobody("stop") == 1);
  CHECK(served.ask({{"command", "stop"}}).value() == json::object{{"ok", true}});
}

TEST_CASE(
    "control socket: what a crash or somebody else left is replaced, a living one is not, a "
    "directory is named") {
  Served served;
  const auto second = ControlServer::listen(served.io, served.path);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().message.find("already answers") != std::string::npos);

  const std::string stale = served.directory / "stale.sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, stale.c_str(), stale.size() + 1);
  {
    const UniqueFd crashed(::socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(::bind(crashed.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  CHECK(ControlServer::listen(served.io, stale).has_value());

  const std::string file = served.directory / "file";
  std::ofstream(file) << "left";
  CHECK(ControlServer::listen(served.io, file).has_value());

  const std::string folder = served.directory / "folder";
  std::filesystem::create_directory(folder);
  const auto refused = ControlServer::listen(served.io, folder);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("in the way of the control socket " + folder) !=
        std::string::npos);
}

TEST_CASE("control socket: out of descriptors it waits instead of trying in a circle") {
  Served served;
  served.server->handle("status", ControlAccess::read,
                        [](const json::object&, const ControlReply& reply) {
                          reply({{"ok", true}});
                        });
  const UniqueFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, served.path.c_str(), served.path.size() + 1);

  std::size_t handlers = 0;
  {
    const testing::NoMoreDescriptors limit(0);
    REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    handlers = served.io.run_for(100ms);
  }

  CHECK(handlers < 10);
  CHECK(served.ask({{"command", "status"}}).has_value());
}

TEST_CASE("control client: nobody there is told by errno") {
  CHECK(control_request("/tmp/holdfast-no-such.sock", {}, 1s).error().system_errno == ENOENT);
}
