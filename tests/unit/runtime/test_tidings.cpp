// What waits for the process that runs scripts, beside scripts.
#include "runtime/tidings_outbox.hpp"

#include <doctest/doctest.h>

using namespace holdfast::runtime;
using What = TidingsReport::What;

namespace {

Tidings line(std::string text) {
  return {.subject = "a", .line = std::move(text)};
}
Tidings letter(std::string subject, std::string title) {
  return {.subject = std::move(subject), .title = std::move(title)};
}

std::vector<std::string> sent(TidingsOutbox& box) {
  std::vector<std::string> texts;
  while (box.has_unsent()) {
    const Tidings one = box.take_unsent();
    texts.push_back(one.line + one.title);
  }
  return texts;
}

}  // namespace

TEST_CASE("tidings: what is written is what is read, and nothing else") {
  const Tidings all{.id = 9,
                    .subject = "s",
                    .scope = Tidings::Scope::lvs,
                    .line = "l",
                    .title = "t",
                    .body = "b\n",
                    .lost = 3};
  CHECK(decode_tidings(encode(all)) == all);
  const TidingsReport report{9, What::settled};
  CHECK(decode_tidings_report(encode(report)) == report);
  auto bytes = encode(all);
  bytes.push_back(0);
  CHECK_FALSE(decode_tidings(bytes));
  CHECK_FALSE(decode_tidings(encode(report)));
  bytes = encode(report);
  bytes.back() = 7;
  CHECK_FALSE(decode_tidings_report(bytes));
}

TEST_CASE("tidings: every line is sent in its order, and is there until it was taken") {
  TidingsOutbox box;
  box.add(line("1"));
  box.add(line("2"));
  CHECK(sent(box) == std::vector<std::string>{"1", "2"});
  CHECK(box.has_lines());
  box.on({1, What::taken});
  box.on({2, What::taken});
  CHECK_FALSE(box.has_lines());
}

TEST_CASE("tidings: a new process is told the lines that were not taken and the open letters") {
  TidingsOutbox box;
  box.add(line("1"));
  box.add(line("2"));
  Tidings both = letter("b", "t3");
  both.line = "3";
  box.add(both);
  box.add(letter("c", "t4"));
  static_cast<void>(sent(box));
  box.on({1, What::taken});
  box.on({3, What::taken});
  box.on({4, What::taken});
  box.on({4, What::settled});

  box.on_disconnected();

  CHECK(sent(box) == std::vector<std::string>{"2", "t3"});
}

TEST_CASE("tidings: a newer letter of the same subject takes the older one's place, not its line") {
  TidingsOutbox box;
  Tidings first = letter("a", "old");
  first.line = "1";
  box.add(first);
  box.add(letter("a", "new"));
  CHECK(sent(box) == std::vector<std::string>{"1", "new"});
  CHECK(box.has_lines());
}

TEST_CASE(
    "tidings: lines have a bound, and what is dropped is counted with the next that is sent") {
  TidingsOutbox box;
  for (std::size_t i = 0; i < TidingsOutbox::kMostLines + 3; ++i) box.add(line(std::to_string(i)));
  const Tidings next = box.take_unsent();
  CHECK(next.line == "3");
  CHECK(next.lost == 3);
  CHECK(box.take_unsent().lost == 0);
}
