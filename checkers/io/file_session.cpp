#include "checkers/io/file_session.hpp"

#include "checkers/core/file_verdict.hpp"

#include <fmt/format.h>

namespace holdfast::checkers {

void FileSession::begin() {
  const auto number = driver_.number_in(probe_.file);
  driver_.finished(id_, number
                            ? outcome_of_number(probe_, *number)
                            : not_tried(fmt::format("track_file {} is not followed", probe_.file)));
}

}  // namespace holdfast::checkers
