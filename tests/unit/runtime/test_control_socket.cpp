#include "runtime/control_client.hpp"
#include "runtime/control_desk.hpp"
#include "runtime/control_socket.hpp"
#include "runtime/loop.hpp"
#include "runtime/turn_meter.hpp"
#include "runtime/unique_fd.hpp"

#include <boost/asio/post.hpp>
#include <doctest/doctest.h>

#include "support.hpp"
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <functional>
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

/// Runs `work` in a process of another user while the server serves; its value is the exit code.
int as_nobody(Served& served, const std::function<int()>& work) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(::setuid(65534) != 0 ? 99 : work());
  int status = 0;
  REQUIRE(run_until(served.io, [&] { return ::waitpid(pid, &status, WNOHANG) == pid; }));
  return WEXITSTATUS(status);
}

int failed(const std::string& path, std::string_view command) {
  const auto answer = control_request(path, {{"command", command}}, 10s);
  return !answer ? 2 : answer->contains("error") ? 1 : 0;
}

UniqueFd connected(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    socket.reset();
  return socket;
}

bool needs_root() {
  if (::geteuid() == 0) return false;
  MESSAGE("skipped: needs root to become somebody else");
  return true;
}

/// {"number":N,"rows":[…]}: so many rows of so many bytes, one a piece.
class Rows : public ControlDocument {
 public:
  Rows(int number, std::size_t rows, std::size_t bytes)
      : number_(number), left_(rows), row_('"' + std::string(bytes, 'x') + '"') {}
  ControlPiece next() override {
    if (step_ == Step::over) return {};
    if (step_ == Step::head) {
      step_ = left_ == 0 ? Step::tail : Step::rows;
      return [number = number_](std::string& text) {
        text += "{\"number\":" + std::to_string(number) + ",\"rows\":[";
      };
    }
    if (step_ == Step::rows) {
      const bool is_last = --left_ == 0;
      if (is_last) step_ = Step::tail;
      return [row = row_, is_last](std::string& text) { text += row + (is_last ? "" : ","); };
    }
    step_ = Step::over;
    return [](std::string& text) { text += "]}"; };
  }

 private:
  enum class Step : std::uint8_t { head, rows, tail, over };
  int number_;
  std::size_t left_;
  std::string row_;
  Step step_ = Step::head;
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

TEST_CASE("control socket: a stranger's endless request is cut off, root sends a configuration") {
  if (needs_root()) return;
  Served served;
  ::chmod((served.directory / "").c_str(), 0755);
  served.server->handle("rehearse", ControlAccess::read,
                        [](const json::object& request, const ControlReply& reply) {
                          reply({{"bytes", request.at("snapshot").as_string().size()}});
                        });
  const json::object large{{"command", "rehearse"},
                           {"snapshot", std::string(4 * kMaxRequestBytes, 'x')}};

  const auto answer = served.ask(large);
  REQUIRE(answer.has_value());
  CHECK(answer->at("bytes").to_number<std::size_t>() == 4 * kMaxRequestBytes);
  CHECK(as_nobody(served, [&] {
          const UniqueFd socket = connected(served.path);
          const std::string bytes(kMaxRequestBytes, ' ');  // more than is read loses the answer
          for (std::size_t sent = 0; sent < bytes.size();) {
            const ssize_t count =
                ::send(socket.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
            if (count <= 0) return 2;
            sent += static_cast<std::size_t>(count);
          }
          std::string got(200, ' ');
          const ssize_t count = ::recv(socket.get(), got.data(), got.size(), 0);
          return count > 0 && got.find("longer than 65536 bytes") != std::string::npos ? 0 : 1;
        }) == 0);
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
  if (needs_root()) return;
  Served served;
  ::chmod((served.directory / "").c_str(), 0755);
  const auto handler = [](const json::object&, const ControlReply& reply) {
    reply({{"ok", true}});
  };
  served.server->handle("status", ControlAccess::read, handler);
  served.server->handle("stop", ControlAccess::change, handler);

  CHECK(as_nobody(served, [&] { return failed(served.path, "status"); }) == 0);
  CHECK(as_nobody(served, [&] { return failed(served.path, "stop"); }) == 1);
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

  const auto used_before = std::clock();
  {
    const testing::NoMoreDescriptors limit(0);
    REQUIRE(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    served.io.run_for(300ms);
  }
  const auto used = std::chrono::duration<double>(static_cast<double>(std::clock() - used_before) /
                                                  CLOCKS_PER_SEC);

  CHECK(used < 100ms);
  CHECK(served.ask({{"command", "status"}}).has_value());
}

TEST_CASE("control client: nobody there is told by errno") {
  CHECK(control_request("/tmp/holdfast-no-such.sock", {}, 1s).error().system_errno == ENOENT);
}

TEST_CASE("control socket: a word may be answered more fully to those who may change things") {
  if (needs_root()) return;
  Served served;
  ::chmod((served.directory / "").c_str(), 0755);
  const auto saying = [](bool full) {
    return [full](const json::object&, const ControlReply& reply) { reply({{"full", full}}); };
  };
  served.server->handle("status", ControlAccess::read, saying(false));
  served.server->handle("status", ControlAccess::change, saying(true));

  const auto full = [&] {
    return control_request(served.path, {{"command", "status"}}, 10s)->at("full").as_bool() ? 1 : 0;
  };
  CHECK(as_nobody(served, full) == 0);
  CHECK(served.ask({{"command", "status"}}).value() == json::object{{"full", true}});
}

TEST_CASE("control socket: a document is made in pieces, one for all who wait") {
  Served served;
  int made = 0;
  served.server->handle_document(
      "status", [&](const auto& begun) { begun(std::make_shared<Rows>(++made, 3, 2)); });

  const auto first = served.ask({{"command", "status"}});
  CHECK(first.value() == json::object{{"number", 1}, {"rows", {"xx", "xx", "xx"}}});

  std::vector<std::future<core::Result<json::object>>> asked(20);
  for (auto& each : asked)
    each = std::async(std::launch::async, [&] {
      return control_request(served.path, {{"command", "status"}}, 10s);
    });
  for (auto& each : asked) {
    REQUIRE(run_until(served.io, [&] { return each.wait_for(0s) == std::future_status::ready; }));
    CHECK(each.get()->at("rows").as_array().size() == 3);
  }
  CHECK(made <= 21);
}

TEST_CASE("control socket: root is told what is true now, others what was true a moment ago") {
  if (needs_root()) return;
  Served served;
  ::chmod((served.directory / "").c_str(), 0755);
  int made = 0;
  served.server->handle_document(
      "status", [&](const auto& begun) { begun(std::make_shared<Rows>(++made, 1, 1)); });
  CHECK(served.ask({{"command", "status"}})->at("number") == 1);
  CHECK(served.ask({{"command", "status"}})->at("number") == 2);

  CHECK(as_nobody(served, [&] {
          int last = 0;
          for (int i = 0; i < 50; ++i) {
            const auto told = control_request(served.path, {{"command", "status"}}, 10s);
            last = static_cast<int>(told->at("number").as_int64());
          }
          return last;
        }) <= 3);
}

TEST_CASE("control socket: the loop goes on between the pieces of a document") {
  // Work that is ready when a piece is asked for is done before the next piece is.
  struct Watched : Rows {
    using Rows::Rows;
    ControlPiece next() override {
      most_at_once = std::max(most_at_once, ++since_other_work);
      boost::asio::post(*io, [this] { since_other_work = 0; });
      return Rows::next();
    }
    boost::asio::io_context* io = nullptr;
    int since_other_work = 0;
    int most_at_once = 0;
  };
  Served served;
  const auto document = std::make_shared<Watched>(1, 1000, 1);
  document->io = &served.io;
  served.server->handle_document("status", [&](const auto& begun) { begun(document); });
  CHECK(served.ask({{"command", "status"}})->at("rows").as_array().size() == 1000);
  CHECK(document->most_at_once == 1);
}

TEST_CASE("control socket: strangers cannot take root's connections, nor one user all others'") {
  if (needs_root()) return;
  Served served;
  ::chmod((served.directory / "").c_str(), 0755);
  served.server->handle("stop", ControlAccess::change,
                        [](const json::object&, const ControlReply& reply) {
                          reply({{"ok", true}});
                        });

  const int refused = as_nobody(served, [&] {
    std::vector<UniqueFd> open;
    int turned_away = 0;
    for (int i = 0; i < 300; ++i) {
      open.push_back(connected(served.path));
      if (::send(open.back().get(), "{\"comm", 6, MSG_NOSIGNAL) < 0) ++turned_away;
    }
    char word[64] = {};  // the last one has been told why
    const ssize_t count = ::recv(open.back().get(), word, sizeof word - 1, 0);
    const bool told = count > 0 && std::string_view(word).find("too many clients") == 10;
    const auto asked_beside = control_request(served.path, {{"command", "stop"}}, 10s);
    const bool beside = asked_beside && asked_beside->contains("error");
    return told && beside ? 1 : 2;
  });
  CHECK(refused == 1);

  // While they are held.
  int gate[2];
  REQUIRE(::pipe(gate) == 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::setuid(65534) != 0) ::_exit(99);
    std::vector<UniqueFd> open;
    for (int i = 0; i < 300; ++i) open.push_back(connected(served.path));
    char byte = 0;
    ::_exit(::write(gate[1], "x", 1) == 1 && ::read(gate[0], &byte, 0) == 0 && ::pause() == 0);
  }
  char byte = 0;
  REQUIRE(::read(gate[0], &byte, 1) == 1);
  CHECK(served.ask({{"command", "stop"}}).value() == json::object{{"ok", true}});
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  ::close(gate[0]);
  ::close(gate[1]);
}

TEST_CASE("control socket: a process of few descriptors keeps them for its work") {
  CHECK(ControlSlots::within(1024).strangers == 64);
  CHECK(ControlSlots::within(1024).per_user == 16);
  CHECK(ControlSlots::within(64).strangers == 4);
  CHECK(ControlSlots::within(64).owners == 4);
  CHECK(ControlSlots::within(0).owners == 4);
}

TEST_CASE("control socket: readers that do not read are cut off when answers fill the memory") {
  Served served;
  int made = 0;
  served.server->handle_document("status", [&](const auto& begun) {
    begun(std::make_shared<Rows>(++made, 8, kMaxHeldBytes / 32));
  });
  const auto lazy = [&] {
    UniqueFd client = connected(served.path);
    const std::string request = "{\"command\":\"status\"}\n";
    REQUIRE(::send(client.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(request.size()));
    const int before = made;
    REQUIRE(run_until(served.io, [&] { return made > before; }));
    return client;
  };
  std::vector<UniqueFd> readers;
  for (int i = 0; i < 6; ++i) readers.push_back(lazy());
  REQUIRE(served.ask({{"command", "status"}}).has_value());  // the loop has done all its pieces

  const auto bytes_for = [](const UniqueFd& client) {
    std::size_t got = 0;
    std::vector<char> piece(1 << 20);
    for (;;) {
      const ssize_t count = ::recv(client.get(), piece.data(), piece.size(), 0);
      if (count <= 0 || piece[static_cast<std::size_t>(count) - 1] == '\n') return got + 1;
      got += static_cast<std::size_t>(count);
    }
  };
  CHECK(bytes_for(readers.front()) < kMaxHeldBytes / 8);
  CHECK(bytes_for(readers.back()) > kMaxHeldBytes / 8);
}

TEST_CASE("turns: the longest one is known, waiting is none") {
  Loop loop;
  DeadlineTimer work(loop.io(), [&] {
    const core::Instant until = now() + 30ms;
    while (now() < until) {
    }
  });
  DeadlineTimer end(loop.io(), [&] { loop.stop(); });
  const core::Instant began = now();
  work.arm(began + 50ms);
  end.arm(began + 200ms);
  loop.run();

  CHECK(turns().longest >= 30ms);
  CHECK(turns().longest < 100ms);
  CHECK(turns().since >= began);
  CHECK(turns().longest_at - began < 190ms);
  CHECK(turns().count >= 2);
}
