// One run of `holdfastctl real-server`: the record under its lock, the kernel, and the steps that
// `up` and `down` are made of. What a step is about to change stands in the record before it is
// done, so that a run that was killed can be undone. Used by real_server.cpp only.
#pragma once

#include "ctl/real_server_host.hpp"
#include "ctl/real_server_record.hpp"
#include "runtime/lock_file.hpp"

#include <optional>
#include <string>
#include <vector>

namespace holdfast::ctl {

class RealServerSession {
 public:
  /// `run_dir`: the record is the file beside it.
  [[nodiscard]] static core::Result<RealServerSession> open(std::string run_dir);

  [[nodiscard]] const RealServerRecord& record() const { return record_; }
  [[nodiscard]] RealServerHost& host() { return host_; }

  /// `device` (kind: see tunnel_device) is there and up.
  [[nodiscard]] core::Result<void> raise(const TunnelDevice& device);
  [[nodiscard]] core::Result<void> open_gue(std::uint16_t port);
  /// Silence first, then the address.
  [[nodiscard]] core::Result<void> hold(const core::IpAddress& address, const std::string& device);
  /// The address first; nullopt in the record: nothing to do.
  [[nodiscard]] core::Result<void> release(const core::IpAddress& address);
  /// Gives back what no address needs any more. `left` gets a sentence for each switch that
  /// somebody else has changed meanwhile: it stays.
  [[nodiscard]] core::Result<void> give_back(std::vector<std::string>& left);

 private:
  RealServerSession(std::string path, runtime::LockFile lock, RealServerHost host)
      : path_(std::move(path)), lock_(std::move(lock)), host_(std::move(host)) {}
  [[nodiscard]] core::Result<void> load();
  /// An empty record is no file.
  [[nodiscard]] core::Result<void> save() const;
  [[nodiscard]] core::Result<void> set_switches(const std::vector<WantedSwitch>& wanted);
  [[nodiscard]] core::Result<void> restore_switches(std::vector<std::string>& left);
  [[nodiscard]] core::Result<void> lower_devices();
  [[nodiscard]] core::Result<void> lower(const RaisedDevice& device);

  std::string path_;
  runtime::LockFile lock_;
  RealServerHost host_;
  RealServerRecord record_;
};

}  // namespace holdfast::ctl
