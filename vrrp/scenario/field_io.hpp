// Members as "key=value" words: the writer leaves out what a default-made value has too, the reader
// starts from one. Used by lines.cpp with the descriptions of fields.hpp.
#pragma once

#include "vrrp/scenario/fields.hpp"
#include "vrrp/scenario/values.hpp"

#include <algorithm>
#include <span>

namespace holdfast::vrrp::scenario {

/// One value of these is one word; everything else has members of its own.
template <class T>
concept OneWord = requires(const T& value) {
  to_text(value);
};

class FieldWriter {
 public:
  using Entries = std::vector<std::pair<std::string, std::string>>;

  /// " key=value key=value": what differs from a default-made value.
  template <class T>
  [[nodiscard]] static std::string text_of(const T& value) {
    static const Entries kDefaults = collect(T{});
    std::string text;
    for (const auto& entry : collect(value)) {
      if (std::find(kDefaults.begin(), kDefaults.end(), entry) != kDefaults.end()) continue;
      text += fmt::format(" {}={}", entry.first, quote(entry.second));
    }
    return text;
  }

  void operator()(std::string_view key, const OneWord auto& value) {
    entries_.emplace_back(prefix_ + std::string(key), to_text(value));
  }
  void group(std::string_view key, const auto& value) {
    const std::string outer = prefix_;
    prefix_ += std::string(key) + '.';
    describe(*this, value);
    prefix_ = outer;
  }
  /// std::optional or core::Rare.
  template <template <class> class Maybe, class T>
  void maybe(std::string_view key, const Maybe<T>& value) {
    if (!value) return;
    if constexpr (OneWord<T>) {
      (*this)(key, *value);
    } else {
      (*this)(key, true);
      group(key, *value);
    }
  }
  void state(const State& state) {
    (*this)("state", name_of(state));
    std::visit([this](const auto& known) { group("state", known); }, state);
  }
  void count(std::string_view key, const auto& list) { (*this)(key, list.size()); }

 private:
  template <class T>
  [[nodiscard]] static Entries collect(const T& value) {
    FieldWriter writer;
    describe(writer, value);
    return std::move(writer.entries_);
  }

  std::string prefix_;
  Entries entries_;
};

class FieldReader {
 public:
  /// A list of settings that follows a reload is no longer than this.
  static constexpr std::size_t kMostListed = 100'000;

  template <class T>
  [[nodiscard]] static T read(std::span<const std::string> words) {
    FieldReader reader(words);
    T value{};
    describe(reader, value);
    reader.finish();
    return value;
  }

  void operator()(std::string_view key, OneWord auto& value) {
    const std::string* text = take(key);
    if (text == nullptr) return;
    try {
      from_text(std::string_view(*text), value);
    } catch (const FormatError& error) {
      throw FormatError(fmt::format("{}{}: {}", prefix_, key, error.what()));
    }
  }
  void group(std::string_view key, auto& value) {
    const std::string outer = prefix_;
    prefix_ += std::string(key) + '.';
    describe(*this, value);
    prefix_ = outer;
  }
  template <template <class> class Maybe, class T>
  void maybe(std::string_view key, Maybe<T>& value) {
    if (!has(key)) return;
    value = T{};
    if constexpr (OneWord<T>) {
      (*this)(key, *value);
    } else {
      take(key);
      group(key, *value);
    }
  }
  void state(State& state) {
    StateName name{};
    (*this)("state", name);
    switch (name) {
      case StateName::init:
        return group("state", state.emplace<Init>());
      case StateName::backup:
        return group("state", state.emplace<Backup>());
      case StateName::master:
        return group("state", state.emplace<Master>());
      case StateName::fault:
        return group("state", state.emplace<Fault>());
    }
  }
  void count(std::string_view key, auto& list) {
    std::size_t size = 0;
    (*this)(key, size);
    if (size > kMostListed) throw FormatError(fmt::format("{}: that is too many", key));
    list.resize(size);
  }

 private:
  struct Field {
    std::string key;
    std::string value;
    bool taken = false;
  };

  explicit FieldReader(std::span<const std::string> words);
  /// Every word must have had its member.
  void finish() const;
  [[nodiscard]] bool has(std::string_view key) const;
  const std::string* take(std::string_view key);

  std::string prefix_;
  std::vector<Field> fields_;
};

}  // namespace holdfast::vrrp::scenario
