// One run of one probe of whatever kind: begun once, may be cancelled, tells its driver once what
// came of it (ProbeDriver::finished). Kept alive by its handlers; silent after cancel().
#pragma once

namespace holdfast::checkers {

class Probe {
 public:
  Probe() = default;
  virtual ~Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  /// May end the run at once.
  virtual void begin() = 0;
  virtual void cancel() = 0;
};

}  // namespace holdfast::checkers
