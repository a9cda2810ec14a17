#include "jobs/parse/json_value.h"

#include <algorithm>
#include <limits>

#include "jobs/parse/text_value.h"

namespace headrace::jobs::parse {
namespace {

using simdjson::ondemand::json_type;

std::string_view raw_text(simdjson::ondemand::value& value, json_type kind) {
  std::string_view text;
  if (kind == json_type::object) {
    text = value.get_object().value().raw_json();
  } else if (kind == json_type::array) {
    text = value.get_array().value().raw_json();
  } else {
    text = value.raw_json_token();
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\t' ||
                           text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

// The length of the JSON value at the front of the text; the text is JSON up to there.
size_t length_of_value(std::string_view text) {
  int depth = 0;
  bool is_quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_quoted) {
      if (c == '\\') ++i;
      is_quoted = c != '"';
      if (!is_quoted && depth == 0) return i + 1;
      continue;
    }
    if (c == '"') is_quoted = true;
    if (c == '{' || c == '[') ++depth;
    const bool closes = c == '}' || c == ']';
    if (closes && depth == 0) return i;
    if (closes && --depth == 0) return i + 1;
    if (depth == 0 && (c == ',' || static_cast<unsigned char>(c) <= ' ')) return i;
  }
  return text.size();
}

bool is_numeric(lake::TypeKind kind) {
  switch (kind) {
    case lake::TypeKind::kInt:
    case lake::TypeKind::kLong:
    case lake::TypeKind::kFloat:
    case lake::TypeKind::kDouble:
    case lake::TypeKind::kDecimal:
      return true;
    default:
      return false;
  }
}

bool is_whole_number(std::string_view token) {
  if (token.starts_with('-')) token.remove_prefix(1);
  if (token.empty() || (token.size() > 1 && token.front() == '0')) return false;
  return std::all_of(token.begin(), token.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Broken numbers are an error; those that are only large are not.
void check_number(simdjson::ondemand::value& value) {
  if (is_whole_number(raw_text(value, json_type::number))) return;
  value.get_number().value();
}

}  // namespace

size_t MemberNames::find(std::string_view name, size_t expected) const {
  if (expected < names_.size() && names_[expected] == name) return expected;
  for (size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] == name) return i;
  }
  return names_.size();
}

LoneValue::LoneValue(const char* text, size_t size) {
  const size_t length = length_of_value({text, size});
  text_.reserve(length + 2 + kPaddingBytes);
  text_.append("[").append(text, length).append("]");
  size_ = text_.size();
  text_.append(kPaddingBytes, '\0');
}

simdjson::ondemand::value LoneValue::read() {
  document_ = parser_.iterate(text_.data(), size_, text_.size()).value();
  for (auto element : document_.get_array()) return element.value();
  throw simdjson::simdjson_error(simdjson::TAPE_ERROR);
}

std::optional<ValueKind> LoneValue::kind() const {
  if (is_object() || is_list()) return std::nullopt;
  return kind_of_token(std::string_view(text_).substr(1, size_ - 2));
}

std::vector<std::string> names_beside(std::string_view name, const LoneValue& value,
                                      OnConflict policy) {
  const std::string text = split_name(name, lake::TypeKind::kString);
  if (policy == OnConflict::kText) return {text};
  std::vector<std::string> names;
  if (value.is_object()) {
    names.push_back(split_name(name, lake::TypeKind::kStruct));
  } else if (value.is_list()) {
    names.push_back(split_name(name, lake::TypeKind::kList));
  } else if (const auto kind = value.kind(); kind && split_type(*kind) != lake::TypeKind::kString) {
    names.push_back(split_name(name, split_type(*kind)));
  }
  names.push_back(text);
  return names;
}

ValueWriter::ValueWriter(lake::Type type, const ValueRules& rules, PendingNulls& nulls)
    : type_(std::move(type)), rules_(rules), nulls_(nulls) {
  for (const lake::Field& field : type_.fields) {
    children_.emplace_back(field.type, rules, nulls);
    names_.add(field.name);
  }
}

bool ValueWriter::is_strict() const {
  return rules_.is_inferred && rules_.on_conflict != OnConflict::kCast;
}

// A part of a NULL is NULL, too: the engine looks at it.
void ValueWriter::write_null(engine::MutableVector& vector, size_t row) {
  nulls_.add(vector, row);
  if (type_.kind == lake::TypeKind::kStruct) {
    for (size_t i = 0; i < children_.size(); ++i) {
      engine::MutableVector child = vector.struct_child(i);
      children_[i].write_null(child, row);
    }
  } else if (type_.kind == lake::TypeKind::kList) {
    vector.data<engine::MutableVector::ListEntry>()[row] = {0, 0};
  }
}

Outcome ValueWriter::write(simdjson::ondemand::value value, engine::MutableVector& vector,
                           size_t row, const char* end) {
  const json_type kind = value.type();
  if (kind == json_type::null) {
    value.is_null();
    write_null(vector, row);
    return Outcome::kNull;
  }
  const size_t mark = nulls_.mark();
  const Outcome outcome = write_kind(value, kind, vector, row, end);
  if (outcome != Outcome::kWritten) nulls_.rewind(mark);
  return outcome;
}

Outcome ValueWriter::write_kind(simdjson::ondemand::value& value, json_type kind,
                                engine::MutableVector& vector, size_t row, const char* end) {
  switch (type_.kind) {
    case lake::TypeKind::kStruct:
      return kind == json_type::object ? write_struct(value, vector, row, end) : Outcome::kMisfit;
    case lake::TypeKind::kList:
      return kind == json_type::array ? write_list(value, vector, row, end) : Outcome::kMisfit;
    case lake::TypeKind::kString:
      return write_string(value, kind, vector, row);
    case lake::TypeKind::kBoolean:
      if (kind != json_type::boolean) return write_text(value, kind, vector, row);
      vector.data<bool>()[row] = value.get_bool();
      return Outcome::kWritten;
    case lake::TypeKind::kInt:
    case lake::TypeKind::kLong:
      return write_integer(value, kind, vector, row);
    default:
      return write_text(value, kind, vector, row);
  }
}

Outcome ValueWriter::write_integer(simdjson::ondemand::value& value, json_type kind,
                                   engine::MutableVector& vector, size_t row) {
  if (kind != json_type::number) return write_text(value, kind, vector, row);
  int64_t number = 0;
  const auto failure = value.get_int64().get(number);
  if (failure != simdjson::SUCCESS) return Outcome::kMisfit;
  if (type_.kind == lake::TypeKind::kLong) {
    vector.data<int64_t>()[row] = number;
    return Outcome::kWritten;
  }
  if (number < std::numeric_limits<int32_t>::min() ||
      number > std::numeric_limits<int32_t>::max()) {
    return Outcome::kMisfit;
  }
  vector.data<int32_t>()[row] = static_cast<int32_t>(number);
  return Outcome::kWritten;
}

// Text for anything: strings unescaped, everything else as it is written.
Outcome ValueWriter::write_string(simdjson::ondemand::value& value, json_type kind,
                                  engine::MutableVector& vector, size_t row) {
  if (kind == json_type::string) {
    const std::string_view text = value.get_string();
    vector.set_string(row, text);
  } else {
    vector.set_string(row, raw_text(value, kind));
  }
  return Outcome::kWritten;
}

// Numbers, times and so on: from a string or from a number's own digits.
Outcome ValueWriter::write_text(simdjson::ondemand::value& value, json_type kind,
                                engine::MutableVector& vector, size_t row) {
  if (kind == json_type::array || kind == json_type::object) return Outcome::kMisfit;
  if (kind == json_type::number && !is_numeric(type_.kind)) return Outcome::kMisfit;
  if (kind == json_type::boolean) return Outcome::kMisfit;
  if (is_strict() && kind == json_type::string &&
      (is_numeric(type_.kind) || type_.kind == lake::TypeKind::kBoolean)) {
    return Outcome::kMisfit;
  }
  const std::string_view text =
      kind == json_type::string ? std::string_view(value.get_string()) : raw_text(value, kind);
  if (rules_.is_inferred && type_.kind == lake::TypeKind::kDouble && kind == json_type::number) {
    const auto number = kind_of_token(text);
    // It would lose digits.
    if (number != ValueKind::kDouble && number != ValueKind::kInteger) return Outcome::kMisfit;
  }
  return write_text_value(type_, text, vector, row) ? Outcome::kWritten : Outcome::kMisfit;
}

Outcome ValueWriter::write_struct(simdjson::ondemand::value& value, engine::MutableVector& vector,
                                  size_t row, const char* end) {
  std::vector<bool> found(children_.size(), false);
  size_t expected = 0;
  for (auto member : value.get_object()) {
    const std::string_view key = member.unescaped_key();
    const size_t index = names_.find(key, expected);
    if (index == names_.size()) {
      if (rules_.is_inferred && type_of(look_at(member.value()))) {
        return rules_.is_final ? Outcome::kMisfit : Outcome::kNews;
      }
      continue;
    }
    expected = index + 1;
    const Outcome outcome = write_member(member.value(), index, found, vector, row, end);
    if (outcome == Outcome::kMisfit || outcome == Outcome::kNews) return outcome;
  }
  for (size_t i = 0; i < children_.size(); ++i) {
    if (found[i]) continue;
    engine::MutableVector child = vector.struct_child(i);
    children_[i].write_null(child, row);
  }
  return Outcome::kWritten;
}

Outcome ValueWriter::write_member(simdjson::ondemand::value value, size_t index,
                                  std::vector<bool>& found, engine::MutableVector& vector,
                                  size_t row, const char* end) {
  const char* text = value.raw_json_token().data();
  engine::MutableVector child = vector.struct_child(index);
  const Outcome outcome = children_[index].write(value, child, row, end);
  if (outcome != Outcome::kMisfit) {
    found[index] = outcome != Outcome::kNews;
    return outcome;
  }
  if (!rules_.is_inferred || !goes_beside(rules_.on_conflict)) return outcome;
  return write_beside(text, index, found, vector, row, end);
}

Outcome ValueWriter::write_beside(const char* text, size_t index, std::vector<bool>& found,
                                  engine::MutableVector& vector, size_t row, const char* end) {
  LoneValue value(text, static_cast<size_t>(end - text));
  for (const std::string& name :
       names_beside(type_.fields[index].name, value, rules_.on_conflict)) {
    const size_t beside = names_.find(name, index + 1);
    if (beside == names_.size()) {
      if (rules_.is_final) continue;
      return Outcome::kNews;
    }
    engine::MutableVector child = vector.struct_child(beside);
    const Outcome outcome = children_[beside].write(value.read(), child, row, end);
    if (outcome == Outcome::kMisfit) continue;
    found[beside] = outcome != Outcome::kNews;
    return outcome;
  }
  return rules_.is_final ? Outcome::kMisfit : Outcome::kNews;
}

Outcome ValueWriter::write_list(simdjson::ondemand::value& value, engine::MutableVector& vector,
                                size_t row, const char* end) {
  const size_t first = vector.list_size();
  size_t size = first;
  for (auto element : value.get_array()) {
    vector.set_list_size(++size);
    engine::MutableVector child = vector.list_child();
    const Outcome outcome = children_[0].write(element.value(), child, size - 1, end);
    if (outcome == Outcome::kMisfit || outcome == Outcome::kNews) {
      vector.set_list_size(first);
      return outcome;
    }
  }
  vector.data<engine::MutableVector::ListEntry>()[row] = {first, size - first};
  return Outcome::kWritten;
}

FoundType look_at(simdjson::ondemand::value value, int depth) {
  FoundType found;
  const json_type kind = value.type();
  if (kind == json_type::object || kind == json_type::array) {
    if (depth >= kMaxInferredDepth) {
      raw_text(value, kind);
      found.kinds.insert(ValueKind::kOddObject);
      return found;
    }
    if (kind == json_type::array) {
      found.element.emplace_back();
      for (auto element : value.get_array()) {
        found.element.front().merge(look_at(element.value(), depth + 1));
      }
      return found;
    }
    found.is_object = true;
    for (auto member : value.get_object()) {
      const std::string key(member.unescaped_key().value());
      found.member(key).merge(look_at(member.value(), depth + 1));
    }
    return found;
  }
  const std::string_view token = value.raw_json_token();
  if (const auto scalar = kind_of_token(token)) found.kinds.insert(*scalar);
  skim(value);
  return found;
}

void skim(simdjson::ondemand::value value) {
  switch (value.type()) {
    case json_type::string:
      value.get_string().value();
      break;
    case json_type::number:
      check_number(value);
      break;
    case json_type::boolean:
      value.get_bool().value();
      break;
    default:
      break;
  }
}

}  // namespace headrace::jobs::parse
