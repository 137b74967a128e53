// keepalived's reload_time_file: watches the file and says when its moment has come. Used by the
// daemon; decides nothing about the reload itself.
#pragma once

#include "runtime/log.hpp"
#include "runtime/loop.hpp"
#include "watchdog/core/directives.hpp"

#include <boost/asio/io_context.hpp>

#include <ctime>
#include <functional>
#include <memory>
#include <optional>

namespace holdfast::watchdog {

class ReloadSchedule {
 public:
  /// `on_due` runs from the loop; the file has been removed by then, unless it counts every day.
  ReloadSchedule(boost::asio::io_context& io, runtime::Logger& logger,
                 std::function<void()> on_due);
  ~ReloadSchedule();
  ReloadSchedule(const ReloadSchedule&) = delete;
  ReloadSchedule& operator=(const ReloadSchedule&) = delete;

  /// The configuration in use has these settings. The file is read again in any case: after a
  /// reload the directory may be there that was missing before.
  void follow(const Directives& directives);
  /// Calendar time of the reload that is planned; nullopt: none.
  [[nodiscard]] std::optional<std::time_t> planned() const { return due_; }

 private:
  struct Watch;
  void read_file();
  void plan(std::optional<std::time_t> due);
  void on_timer();

  boost::asio::io_context& io_;
  runtime::Logger& logger_;
  std::function<void()> on_due_;
  runtime::DeadlineTimer timer_;
  std::shared_ptr<Watch> watch_;
  Directives directives_;
  std::optional<std::time_t> due_;
  bool has_date_ = false;
};

}  // namespace holdfast::watchdog
