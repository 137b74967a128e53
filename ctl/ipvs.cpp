#include "ctl/ipvs.hpp"

#include "ctl/client.hpp"
#include "ipvs_wrapper/client.hpp"
#include "ipvs_wrapper/json.hpp"
#include "ipvs_wrapper/plan.hpp"
#include "ipvs_wrapper/text.hpp"
#include "runtime/small_file.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <string>

namespace holdfast::ctl {
namespace {

int failed(const core::Error& error) {
  complain(error.message);
  return kFailed;
}

core::Result<ipvs::Table> wanted_table(Format format) {
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  return format == Format::json ? ipvs::parse_json(text) : ipvs::parse_text(text);
}

}  // namespace

int save_table(Format format) {
  auto client = ipvs::Client::open();
  if (!client) return failed(client.error());
  const auto observed = client->read();
  if (!observed) return failed(observed.error());
  say(format == Format::json ? boost::json::serialize(ipvs::to_json(observed->table)) + "\n"
                             : ipvs::write_text(observed->table));
  return kDone;
}

int restore_table(Format format) {
  const auto wanted = wanted_table(format);
  if (!wanted) return failed(wanted.error());
  auto client = ipvs::Client::open();
  if (!client) return failed(client.error());
  const auto observed = client->read();
  if (!observed) return failed(observed.error());
  ipvs::Plan steps = ipvs::plan(*wanted, observed->table, {});
  std::erase_if(steps, [](const ipvs::Step& step) {
    return std::holds_alternative<ipvs::DeleteServer>(step);
  });
  const ipvs::ApplyReport report = client->apply(steps);
  for (const ipvs::StepFailure& failure : report.failures) complain(failure.sentence);
  if (report.not_tried != 0)
    complain(
        fmt::format("{} of {} steps were not tried after that", report.not_tried, steps.size()));
  return report.failures.empty() ? kDone : kFailed;
}

int diff_table(const std::string& file, Format format) {
  constexpr std::size_t kLongest = std::size_t{64} << 20;
  const auto text = runtime::read_small_file(file, kLongest);
  if (!text) return failed(text.error());
  const auto wanted = format == Format::json ? ipvs::parse_json(*text) : ipvs::parse_text(*text);
  if (!wanted) return failed(core::fail("{}: {}", file, wanted.error().message));
  auto client = ipvs::Client::open();
  if (!client) return failed(client.error());
  const auto observed = client->read();
  if (!observed) return failed(observed.error());
  const auto differences = ipvs::diff(*wanted, observed->table);
  for (const ipvs::Difference& one : differences) say(ipvs::to_string(one) + "\n");
  return differences.empty() ? kDone : kChanges;
}

}  // namespace holdfast::ctl
