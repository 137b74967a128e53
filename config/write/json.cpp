#include "config/write/json.hpp"

#include "config/text.hpp"
#include "config/write/form.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>

namespace holdfast::config {
namespace {

std::string utf8(std::string_view text) {
  for (std::string_view rest = text; !rest.empty();) {
    const Character character = first_character(rest);
    if (!character.valid) return printable(text);
    rest.remove_prefix(character.bytes);
  }
  return std::string(text);
}

boost::json::value number(std::string_view text) {
  const char* const end = text.data() + text.size();
  std::int64_t whole = 0;
  if (std::from_chars(text.data(), end, whole).ptr == end) return whole;
  double fraction = 0;
  std::from_chars(text.data(), end, fraction);
  return fraction;
}

boost::json::object object(const Form& table);

boost::json::value value(const Form& form) {
  switch (form.kind) {
    case Form::Kind::boolean:
      return form.flag;
    case Form::Kind::number:
      return number(form.text);
    case Form::Kind::text:
      return boost::json::value(utf8(form.text));
    case Form::Kind::list: {
      boost::json::array list;
      for (const Form& item : form.items) list.push_back(value(item));
      return list;
    }
    case Form::Kind::table:
      return object(form);
  }
  return nullptr;
}

boost::json::object object(const Form& table) {
  boost::json::object out;
  for (const Form::Member& member : table.members) {
    if (!member.element) {
      out[member.key] = value(member.value);
      continue;
    }
    boost::json::value& list = out[member.key];
    if (!list.is_array()) list = boost::json::array();
    list.get_array().push_back(value(member.value));
  }
  return out;
}

}  // namespace

boost::json::object json_of(const Document& document) {
  return object(form_of(document));
}

std::string render_json(const Diagnostics& diagnostics, const Model& model) {
  boost::json::object out = boost::json::parse(render_json(diagnostics)).get_object();
  out["model"] = json_of(document_of(model, Detail::all));
  return boost::json::serialize(out);
}

}  // namespace holdfast::config
