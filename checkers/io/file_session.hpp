// One run of FILE_CHECK: the number is known already, or the file is not followed. Used by
// ProbeDriver only.
#pragma once

#include "checkers/io/probe.hpp"
#include "checkers/io/probe_driver.hpp"

namespace holdfast::checkers {

class FileSession : public Probe {
 public:
  FileSession(ProbeDriver& driver, ProbeId id, FileProbe probe)
      : driver_(driver), id_(id), probe_(std::move(probe)) {}

  void begin() override;
  void cancel() override {}  // it has ended before anybody can

 private:
  ProbeDriver& driver_;
  ProbeId id_;
  FileProbe probe_;
};

}  // namespace holdfast::checkers
