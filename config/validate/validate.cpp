#include "config/validate/validate.hpp"

#include "config/validate/parts.hpp"

#include <fmt/format.h>

namespace holdfast::config {
namespace validation {

std::string Context::line_of(const SourceLocation& location) const {
  if (location.file == 0) return fmt::format("line {}", location.line);
  return fmt::format("{} line {}", model.files.names[location.file], location.line);
}

void Few::add(const SourceLocation& at, std::string message, std::string help) {
  if (++count_ < kShown) {
    context_.reporter.at(severity_, at, std::move(message), std::move(help));
    return;
  }
  if (count_ > kShown) return;
  last_at_ = at;
  last_message_ = std::move(message);
  last_help_ = std::move(help);
}

void Few::finish() {
  if (count_ < kShown) return;
  if (count_ > kShown) last_message_ += fmt::format(" (and {} more like this)", count_ - kShown);
  context_.reporter.at(severity_, last_at_, std::move(last_message_), std::move(last_help_));
}

}  // namespace validation

void validate(Model& model, Reporter& reporter) {
  const validation::Context context{model, reporter};
  validation::check_names(context);
  validation::check_instances(context);
  validation::check_strict(context);
  validation::check_addresses(context);
  validation::check_tracking(context);
  validation::check_groups(context);
  validation::check_services(context);
  validation::check_servers(context);
  validation::check_globals(context);
}

}  // namespace holdfast::config
