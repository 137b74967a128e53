// From members of the model to rows that read and write them:
//   word("priority", integer(1, 255), value<&VrrpInstance::priority>, …)
// A path of several members leads through parts of the object; a seldom used part (Rare) is made
// when its first word is read.
#pragma once

#include "config/builders/builder.hpp"
#include "config/schema/row.hpp"
#include "config/write/write.hpp"

#include <type_traits>

namespace holdfast::config {

// --- values as words
// ------------------------------------------------------------------------------

inline void read_value(bool& target, const Args& args) {
  target = args.flag();
}
inline void read_value(std::string& target, const Args& args) {
  target = args.text(0);
}
inline void read_value(core::Duration& target, const Args& args) {
  target = args.duration(0);
}
inline void read_value(core::IpAddress& target, const Args& args) {
  target = args.value(0).address;
}
inline void read_value(Rare<Script>& target, const Args& args) {
  target = args.script();
}
/// Nothing behind it is the empty text.
inline void read_value(Rare<std::string>& target, const Args& args) {
  target = args.has(0) ? args.text(0) : std::string();
}
inline void read_value(std::vector<std::uint16_t>& target, const Args& args) {
  target.clear();
  for (std::size_t i = 0; i < args.size(); ++i) target.push_back(args.as<std::uint16_t>(i));
}
/// `notify_fifo PATH [USER [GROUP]]`.
void read_value(NotifyFifo& target, const Args& args);
void read_value(IpvsTimeouts& target, const Args& args);
/// All words behind it, or the names in its block.
void read_value(std::vector<std::string>& target, const Args& args);
/// A number, or a choice whose words stand in the order of the enumeration.
template <class T>
requires(std::is_integral_v<T> || std::is_enum_v<T>) void read_value(T& target, const Args& args) {
  target = args.as<T>(0);
}
template <class T>
void read_value(std::optional<T>& target, const Args& args) {
  read_value(target.emplace(), args);
}

/// False for a number below what may be written: it stands for "not set".
[[nodiscard]] inline bool can_say(const Keyword& row, std::int64_t number) {
  return number >= row.args[0].low;
}
/// False after a warning: what was written is no multicast address.
[[nodiscard]] bool gives_group(const Args& args);
/// The word at `index` of a choice.
[[nodiscard]] std::string_view choice_at(const Keyword& row, std::size_t index);

inline void write_value(Writer& out, const Keyword& row, bool value, bool standard) {
  if (row.args[0].type == ArgType::none) return out.flag(row.name, value);
  out.boolean(row.name, value, standard);
}
inline void write_value(Writer& out, const Keyword& row, const std::string& value,
                        const std::string& standard) {
  out.text(row.name, value, standard);
}
inline void write_value(Writer& out, const Keyword& row, core::Duration value,
                        core::Duration standard) {
  if (!can_say(row, value.count())) return;
  if (row.args[0].type == ArgType::integer)
    out.number(row.name, value.count(), standard.count());
  else if (row.args[0].type == ArgType::milliseconds)
    out.milliseconds(row.name, value, standard);
  else
    out.seconds(row.name, value, standard);
}
inline void write_value(Writer& out, const Keyword& row, const core::IpAddress& value,
                        const core::IpAddress& standard) {
  out.text(row.name, value.to_string(), standard.to_string());
}
inline void write_value(Writer& out, const Keyword& row, const Rare<Script>& value,
                        const Rare<Script>&) {
  out.script(row.name, value);
}
void write_value(Writer& out, const Keyword& row, const Rare<std::string>& value,
                 const Rare<std::string>& standard);
void write_value(Writer& out, const Keyword& row, const std::vector<std::uint16_t>& value,
                 const std::vector<std::uint16_t>& standard);
void write_value(Writer& out, const Keyword& row, const NotifyFifo& value,
                 const NotifyFifo& standard);
void write_value(Writer& out, const Keyword& row, const IpvsTimeouts& value,
                 const IpvsTimeouts& standard);
void write_value(Writer& out, const Keyword& row, const std::vector<std::string>& value,
                 const std::vector<std::string>& standard);
template <class T>
requires std::is_integral_v<T>
void write_value(Writer& out, const Keyword& row, T value, T standard) {
  if (can_say(row, value)) out.number(row.name, value, standard);
}
template <class T>
requires std::is_enum_v<T>
void write_value(Writer& out, const Keyword& row, T value, T standard) {
  out.text(row.name, choice_at(row, static_cast<std::size_t>(value)),
           choice_at(row, static_cast<std::size_t>(standard)));
}
/// Written whenever it is set: what it is without does not matter.
template <class T>
void write_value(Writer& out, const Keyword& row, const std::optional<T>& value,
                 const std::optional<T>&) {
  Writer all = out.always();
  if (value) write_value(all, row, *value, T{});
}

}  // namespace holdfast::config

// --- from a member to a meaning
// -------------------------------------------------------------------
namespace holdfast::config::rows {
namespace detail {

template <class T>
T& part(T& member) {
  return member;
}
template <class T>
T& part(Rare<T>& member) {
  return member.ensure();
}
template <class T>
const T& part(const Rare<T>& member) {
  static const T none{};
  return member ? *member : none;
}

template <auto kFirst, auto... kRest, class Object>
auto& follow(Object& object) {
  if constexpr (sizeof...(kRest) == 0)
    return object.*kFirst;
  else
    return follow<kRest...>(part(object.*kFirst));
}

template <class T>
struct Parts;
template <class C, class M>
struct Parts<M C::*> {
  using Object = C;
};
template <class R, class First, class... Rest>
struct Parts<R (*)(First, Rest...)> {
  using Object = std::remove_cvref_t<First>;
};
template <class R, class C, class First, class... Rest>
struct Parts<R (C::*)(First, Rest...) const> {
  using Object = std::remove_cvref_t<First>;
};

/// The class of a member, or of a function's first parameter.
template <auto kThing>
struct ObjectOf : Parts<std::remove_cv_t<decltype(kThing)>> {};
template <auto kThing>
requires requires {
  &decltype(kThing)::operator();
}
struct ObjectOf<kThing> : Parts<decltype(&decltype(kThing)::operator())> {};

template <auto kFirst, auto... kRest>
void read_member(void* object, const Args& args) {
  using Object = typename ObjectOf<kFirst>::Object;
  read_value(follow<kFirst, kRest...>(*static_cast<Object*>(object)), args);
}

template <auto kFirst, auto... kRest>
void write_member(const void* object, const void* standard, const Keyword& row, Writer& out) {
  using Object = const typename ObjectOf<kFirst>::Object;
  write_value(out, row, follow<kFirst, kRest...>(*static_cast<Object*>(object)),
              follow<kFirst, kRest...>(*static_cast<Object*>(standard)));
}

// A draft is its object and what later decisions need; rows of a block only know the object.
template <class T>
T& object_as(void* object) {
  if constexpr (requires { typename T::Object; })
    return static_cast<T&>(*static_cast<typename T::Object*>(object));
  else
    return *static_cast<T*>(object);
}

}  // namespace detail

/// Read from and written to this member.
template <auto... kPath>
inline constexpr Bound value{detail::read_member<kPath...>, detail::write_member<kPath...>};

/// Read by `void kRead(T&, const Args&)`; T is the object of the block, or its draft.
template <auto kRead>
inline constexpr Reads reads{[](void* object, const Args& args) {
  using T = typename detail::ObjectOf<kRead>::Object;
  kRead(detail::object_as<T>(object), args);
}};

/// Written by `void kWrite(const T&, Writer&)`, with words of its own choice.
template <auto kWrite>
inline constexpr Writes writes{[](const void* object, const void*, const Keyword&, Writer& out) {
  using T = typename detail::ObjectOf<kWrite>::Object;
  kWrite(*static_cast<const T*>(object), out);
}};

/// The same by `void kWrite(const T&, const T& standard, Writer&)`.
template <auto kWrite>
inline constexpr Writes writes_against{
    [](const void* object, const void* standard, const Keyword&, Writer& out) {
      using T = typename detail::ObjectOf<kWrite>::Object;
      kWrite(*static_cast<const T*>(object), *static_cast<const T*>(standard), out);
    }};

/// What the member has when its word is not written: a member of global_defs.
template <auto kMember, auto kGlobal>
inline constexpr Inherits inherits{[](void* object, const Globals& globals) {
  using Object = typename detail::ObjectOf<kMember>::Object;
  static_cast<Object*>(object)->*kMember = globals.*kGlobal;
}};

/// The same by `void kInherit(T&, const Globals&)`.
template <auto kInherit>
inline constexpr Inherits inherits_by{[](void* object, const Globals& globals) {
  using T = typename detail::ObjectOf<kInherit>::Object;
  kInherit(*static_cast<T*>(object), globals);
}};

namespace detail {
template <auto kReason>
std::string_view reason_to_rest(const void* object) {
  return kReason(*static_cast<const typename ObjectOf<kReason>::Object*>(object));
}
}  // namespace detail

/// The object is not started with some values of this word, which acts otherwise:
/// `std::string_view kReason(const T&)`, the end of a sentence; empty: it is started.
template <auto kReason>
inline constexpr NotStarted not_started_when{detail::reason_to_rest<kReason>};

}  // namespace holdfast::config::rows
