#include "scripts/host_script.hpp"

#include "runtime/clock.hpp"
#include "runtime/script_file.hpp"

#include <csignal>
#include <utility>

namespace holdfast::scripts {

HostScript::HostScript(boost::asio::io_context& io) : io_(io), limit_(io, [this] { on_limit(); }) {}

HostScript::~HostScript() {
  if (running_) running_->dismiss(kGrace);
}

void HostScript::run(const core::Command& command, std::function<void(std::string)> done) {
  done_ = std::move(done);
  was_asked_ = false;
  std::string program;
  if (const std::string why = runtime::why_not_run(command, program); !why.empty())
    return finish("was not run: " + why);
  const core::Instant now = runtime::now();
  auto spawned = spawn(program, command);
  if (!spawned) return finish("was not run: " + spawned.error().message);
  running_ = std::make_shared<Running>(io_, std::move(*spawned), now,
                                       [this](const core::ScriptOutcome& outcome) {
                                         running_.reset();
                                         finish(outcome.succeeded() ? "" : outcome.to_string());
                                       });
  running_->wait();
  limit_.arm(now + command.limit);
}

void HostScript::on_limit() {
  if (!running_) return;
  running_->strike(was_asked_ ? SIGKILL : SIGTERM, core::EndedBy::time_limit);
  if (!std::exchange(was_asked_, true)) limit_.arm(runtime::now() + kGrace);
}

void HostScript::finish(std::string how) {
  limit_.arm(std::nullopt);
  if (done_) std::exchange(done_, {})(std::move(how));
}

}  // namespace holdfast::scripts
