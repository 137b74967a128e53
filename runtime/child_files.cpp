#include "runtime/child_files.hpp"

#include "runtime/messages.hpp"

namespace holdfast::runtime {

ChildFiles::ChildFiles(Logger& logger, const ChildOptions& options) {
  const std::string stem = options.run_dir + "/" + options.role;
  if (auto lock = LockFile::acquire(stem + ".lock", kPredecessorPatience))
    lock_ = std::move(*lock);
  else
    logger.log(kNotLocked, "{}", lock.error().message);
  if (auto file = PidFile::write(options.pid_file.empty() ? stem + ".pid" : options.pid_file))
    pid_file_ = std::move(*file);
  else
    logger.log(kNoPidFile, "{}", file.error().message);
}

}  // namespace holdfast::runtime
