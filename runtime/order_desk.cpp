#include "runtime/order_desk.hpp"

#include "runtime/clock.hpp"
#include "runtime/messages.hpp"
#include "runtime/small_file.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <utility>

namespace holdfast::runtime {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongestFile = std::size_t{8} << 20;
/// Of a name that is repeated in every status.
constexpr std::size_t kLongestWord = 256;

std::int64_t microseconds(core::Instant moment) {
  return moment.time_since_epoch().count();
}

json::object page_of(const core::Order& order, core::Instant now) {
  json::object page{{"id", order.id},
                    {"kind", order.kind},
                    {"subject", order.subject},
                    {"value", order.value},
                    {"author", order.author},
                    {"uid", order.uid},
                    {"given_at", iso8601_utc(order.given_at)},
                    {"until_at", nullptr},
                    {"left_ms", nullptr}};
  if (order.until) {
    page["until_at"] = iso8601_utc(*order.until);
    page["left_ms"] = std::max(*order.until - now, core::Duration{}) / std::chrono::milliseconds(1);
  }
  return page;
}

/// "order 3: priority VI_1 -50"
std::string name_of(const core::Order& order) {
  std::string name = fmt::format("order {}: {} {}", order.id, order.kind, order.subject);
  if (order.kind == "priority") name += fmt::format(" {:+}", order.value);
  if (order.kind == "weight") name += fmt::format(" {}", order.value);
  return name;
}

std::int64_t integer(const json::object& from, std::string_view key) {
  const json::value* found = from.if_contains(key);
  boost::system::error_code error;
  const auto number = found == nullptr ? std::int64_t{0} : found->to_number<std::int64_t>(error);
  return error ? 0 : number;
}

core::Order read_order(const json::object& page) {
  core::Order order{.id = static_cast<std::uint64_t>(integer(page, "id")),
                    .kind = word_of(page, "kind"),
                    .subject = word_of(page, "subject"),
                    .value = integer(page, "value"),
                    .author = word_of(page, "author"),
                    .uid = static_cast<std::uint32_t>(integer(page, "uid")),
                    .given_at = core::Instant{core::Duration(integer(page, "given_us"))},
                    .until = std::nullopt};
  if (page.contains("until_us"))
    order.until = core::Instant{core::Duration(integer(page, "until_us"))};
  return order;
}

/// Control characters would break a line of the log.
std::string printable(std::string word) {
  for (char& letter : word)
    if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f) letter = '?';
  return word;
}

}  // namespace

OrderDesk::OrderDesk(boost::asio::io_context& io, Logger& logger, std::string path, Judge judge,
                     std::function<void()> on_change)
    : logger_(logger),
      path_(std::move(path)),
      judge_(std::move(judge)),
      on_change_(std::move(on_change)),
      timer_(io, [this] { expire(); }) {}

void OrderDesk::load() {
  boot_id_ = boot_id();
  const auto text = read_small_file(path_, kLongestFile, Owner::ours);
  if (!text && text.error().system_errno == ENOENT) return;
  auto read =
      text ? read_orders(*text, boot_id_) : core::Result<std::vector<core::Order>>(text.error());
  if (!read)
    return logger_.log(kOrdersLost, "orders of before are not known: {}", read.error().message);
  orders_.recall(std::move(*read));
  expire();
  on_change_();
}

void OrderDesk::answer_on(ControlServer& server) {
  server.handle("order", ControlAccess::change,
                [this](const json::object& request, const ControlReply& reply) {
                  auto answer = take(request);
                  reply(answer ? std::move(*answer) : error_answer(answer.error()));
                });
}

core::Result<json::object> OrderDesk::take(const json::object& request) {
  core::Order order{.id = 0,
                    .kind = word_of(request, "kind"),
                    .subject = word_of(request, "subject"),
                    .value = integer(request, "value"),
                    .author = printable(word_of(request, "author")),
                    .uid = static_cast<std::uint32_t>(integer(request, "caller_uid")),
                    .given_at = now(),
                    .until = std::nullopt};
  if (order.subject.size() > kLongestWord || order.author.size() > kLongestWord)
    return core::fail("a name has at most {} bytes", kLongestWord);
  if (order.author.empty()) order.author = fmt::format("user {}", order.uid);
  const auto subject = judge_(order.kind, order.subject, order.value);
  const auto* back = request.if_contains("take_back");
  if (back != nullptr && back->is_bool() && back->get_bool())
    return take_back(order.kind, subject ? *subject : order.subject, order.author);
  if (!subject) return subject.error();
  order.subject = *subject;
  const std::int64_t milliseconds = integer(request, "for_ms");
  if (milliseconds < 0 || milliseconds > kLongestOrder / std::chrono::milliseconds(1))
    return core::fail("an order lasts a year at most");
  if (milliseconds > 0) order.until = order.given_at + std::chrono::milliseconds(milliseconds);
  const core::Order* given = orders_.give(std::move(order));
  if (given == nullptr) return core::fail("there are {} orders already", core::Orders::kMost);
  logger_.log(kOrderGiven, "{}, asked for by {}{}", name_of(*given), given->author,
              given->until ? ", until " + iso8601_utc(*given->until) : "");
  json::object answer = page_of(*given, now());
  changed();
  return answer;
}

core::Result<json::object> OrderDesk::take_back(const std::string& kind, const std::string& subject,
                                                const std::string& author) {
  const auto order = orders_.take_back(kind, subject);
  if (!order) return core::fail("nobody has asked for this: {} {}", kind, subject);
  logger_.log(kOrderEnded, "{} is over: taken back by {}", name_of(*order), author);
  changed();
  return page_of(*order, now());
}

void OrderDesk::expire() {
  const auto over = orders_.expire(now());
  for (const core::Order& order : over)
    logger_.log(kOrderEnded, "{} is over: its time has ended", name_of(order));
  if (!over.empty()) return changed();
  timer_.arm(orders_.deadline());
}

// What is asked counts although it could not be written down.
void OrderDesk::changed() {
  timer_.arm(orders_.deadline());
  constexpr mode_t kMode = 0600;
  if (const auto kept = replace_file(path_, write_orders(orders_, boot_id_), kMode); !kept)
    logger_.log(kOrdersLost, "orders do not outlive this process: {}", kept.error().message);
  on_change_();
}

json::array status_json(const core::Orders& orders, core::Instant now) {
  json::array list;
  for (const core::Order& each : orders.all()) list.push_back(page_of(each, now));
  return list;
}

std::string write_orders(const core::Orders& orders, std::string_view boot_id) {
  json::array list;
  for (const core::Order& each : orders.all()) {
    json::object page{{"id", each.id},
                      {"kind", each.kind},
                      {"subject", each.subject},
                      {"value", each.value},
                      {"author", each.author},
                      {"uid", each.uid},
                      {"given_us", microseconds(each.given_at)}};
    if (each.until) page["until_us"] = microseconds(*each.until);
    list.push_back(std::move(page));
  }
  return json::serialize(json::object{{"boot", boot_id}, {"orders", std::move(list)}}) + "\n";
}

core::Result<std::vector<core::Order>> read_orders(std::string_view text,
                                                   std::string_view boot_id) {
  boost::system::error_code error;
  const json::value page = json::parse(text, error);
  const json::object* known = error ? nullptr : page.if_object();
  const json::value* list = known == nullptr ? nullptr : known->if_contains("orders");
  if (list == nullptr || !list->is_array()) return core::fail("the file of orders is damaged");
  std::vector<core::Order> orders;
  if (word_of(*known, "boot") != boot_id) return orders;
  for (const json::value& each : list->get_array())
    if (each.is_object()) orders.push_back(read_order(each.get_object()));
  return orders;
}

}  // namespace holdfast::runtime
