#include "core/pattern.hpp"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>

namespace holdfast::core {
namespace {

/// PCRE2 counts its steps: some 10 ms of them.
constexpr std::uint32_t kMostSteps = 500'000;
constexpr std::uint32_t kMostHeapKibibytes = 16 * 1024;

struct Option {
  std::string_view name;
  std::uint32_t bit;
};
constexpr std::array kOptions{
    Option{"allow_empty_class", PCRE2_ALLOW_EMPTY_CLASS},
    Option{"alt_bsux", PCRE2_ALT_BSUX},
    Option{"alt_circumflex", PCRE2_ALT_CIRCUMFLEX},
    Option{"alt_verbnames", PCRE2_ALT_VERBNAMES},
    Option{"auto_callout", PCRE2_AUTO_CALLOUT},
    Option{"caseless", PCRE2_CASELESS},
    Option{"dollar_endonly", PCRE2_DOLLAR_ENDONLY},
    Option{"dotall", PCRE2_DOTALL},
    Option{"dupnames", PCRE2_DUPNAMES},
    Option{"extended", PCRE2_EXTENDED},
    Option{"firstline", PCRE2_FIRSTLINE},
    Option{"match_unset_backref", PCRE2_MATCH_UNSET_BACKREF},
    Option{"multiline", PCRE2_MULTILINE},
    Option{"never_backslash_c", PCRE2_NEVER_BACKSLASH_C},
    Option{"never_ucp", PCRE2_NEVER_UCP},
    Option{"never_utf", PCRE2_NEVER_UTF},
    Option{"no_auto_capture", PCRE2_NO_AUTO_CAPTURE},
    Option{"no_auto_possess", PCRE2_NO_AUTO_POSSESS},
    Option{"no_dotstar_anchor", PCRE2_NO_DOTSTAR_ANCHOR},
    Option{"no_start_optimize", PCRE2_NO_START_OPTIMIZE},
    Option{"ucp", PCRE2_UCP},
    Option{"ungreedy", PCRE2_UNGREEDY},
    Option{"use_offset_limit", PCRE2_USE_OFFSET_LIMIT},
    // What a server sends need not be UTF-8.
    Option{"utf", PCRE2_UTF | PCRE2_MATCH_INVALID_UTF},
};

std::uint32_t bits_of(const PatternText& from) {
  std::uint32_t bits = from.max_offset ? PCRE2_USE_OFFSET_LIMIT : 0;
  for (const std::string& name : from.options)
    if (const auto* found = std::ranges::find(kOptions, name, &Option::name);
        found != kOptions.end())
      bits |= found->bit;
  return bits;
}

std::string text_of(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

PCRE2_SPTR pointer_to(std::string_view text) {
  return reinterpret_cast<PCRE2_SPTR>(text.data());
}

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
struct FreeData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};

}  // namespace

struct Pattern::Compiled {
  std::unique_ptr<pcre2_code, FreeCode> code;
  std::unique_ptr<pcre2_match_context, FreeContext> context;
  std::unique_ptr<pcre2_match_data, FreeData> data;
  std::size_t min_offset = 0;
};

Pattern::Pattern(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(const PatternText& from) {
  int code = 0;
  PCRE2_SIZE at = 0;
  auto compiled = std::make_unique<Compiled>();
  compiled->code.reset(
      pcre2_compile(pointer_to(from.regex), from.regex.size(), bits_of(from), &code, &at, nullptr));
  if (!compiled->code)
    return fail("'{}' is no regular expression: {} at letter {}", from.regex, text_of(code),
                at + 1);
  compiled->context.reset(pcre2_match_context_create(nullptr));
  compiled->data.reset(pcre2_match_data_create(1, nullptr));
  if (!compiled->context || !compiled->data) return fail("no memory for a regular expression");
  pcre2_set_match_limit(compiled->context.get(), kMostSteps);
  pcre2_set_heap_limit(compiled->context.get(), kMostHeapKibibytes);
  if (from.max_offset) pcre2_set_offset_limit(compiled->context.get(), *from.max_offset);
  compiled->min_offset = from.min_offset.value_or(0);
  return Pattern(std::move(compiled));
}

Result<bool> Pattern::is_in(std::string_view text) const {
  if (compiled_->min_offset > text.size()) return false;
  const int found =
      pcre2_match(compiled_->code.get(), pointer_to(text), text.size(), compiled_->min_offset, 0,
                  compiled_->data.get(), compiled_->context.get());
  if (found >= 0) return true;
  if (found == PCRE2_ERROR_NOMATCH) return false;
  return fail("matching ended early: {}", text_of(found));
}

}  // namespace holdfast::core
