#include "legacy/ask.hpp"

#include "runtime/control_client.hpp"

#include "legacy/status_view.hpp"

namespace holdfast::legacy {

core::Result<boost::json::object> ask_process(const std::string& run_dir, std::string_view process,
                                              const boost::json::object& question,
                                              core::Duration patience) {
  auto answer =
      runtime::control_request(fmt::format("{}/{}.sock", run_dir, process), question, patience);
  if (answer && answer->contains("error")) return core::fail("{}", text_in(*answer, "error"));
  return answer;
}

}  // namespace holdfast::legacy
