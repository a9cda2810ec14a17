#include "jobs/parse/found_type.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/text.h"
#include "jobs/parse/text_value.h"

namespace headrace::jobs::parse {
namespace {

constexpr int64_t kLargestExactInDouble = int64_t{1} << 53;
constexpr size_t kLargestDecimalDigits = 38;

ValueKind kind_of_number(std::string_view token) {
  if (token.find_first_of(".eE") != std::string_view::npos) return ValueKind::kDouble;
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (failure == std::errc()) {
    const bool is_exact = value >= -kLargestExactInDouble && value <= kLargestExactInDouble;
    return is_exact ? ValueKind::kInteger : ValueKind::kLarge;
  }
  const size_t digits = token.size() - (token.starts_with('-') ? 1 : 0);
  return digits <= kLargestDecimalDigits ? ValueKind::kHuge : ValueKind::kText;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

ValueKind kind_of_text(std::string_view text) {
  constexpr size_t kDateLength = 10;
  if (text.size() < kDateLength || !is_digit(text.front()) || text[4] != '-') {
    return ValueKind::kText;
  }
  if (text.size() == kDateLength) return parse_date(text) ? ValueKind::kDate : ValueKind::kText;
  if (text.back() == ' ' || !parse_timestamp(text)) return ValueKind::kText;
  const bool has_zone = text.find_first_of("Zz+-", kDateLength) != std::string_view::npos;
  return has_zone ? ValueKind::kTimestamptz : ValueKind::kTimestamp;
}

bool is_only(const std::set<ValueKind>& kinds, std::initializer_list<ValueKind> allowed) {
  return std::all_of(kinds.begin(), kinds.end(), [&](ValueKind kind) {
    return std::find(allowed.begin(), allowed.end(), kind) != allowed.end();
  });
}

lake::Type scalar_type(const std::set<ValueKind>& kinds) {
  using enum ValueKind;
  if (is_only(kinds, {kBoolean})) return lake::simple_type(lake::TypeKind::kBoolean);
  if (is_only(kinds, {kInteger, kLarge})) return lake::simple_type(lake::TypeKind::kLong);
  if (is_only(kinds, {kInteger, kLarge, kHuge})) {
    return {.kind = lake::TypeKind::kDecimal,
            .precision = static_cast<int>(kLargestDecimalDigits),
            .scale = 0,
            .fields = {}};
  }
  if (is_only(kinds, {kInteger, kDouble})) return lake::simple_type(lake::TypeKind::kDouble);
  if (is_only(kinds, {kDate})) return lake::simple_type(lake::TypeKind::kDate);
  if (is_only(kinds, {kDate, kTimestamp})) return lake::simple_type(lake::TypeKind::kTimestamp);
  if (is_only(kinds, {kDate, kTimestamp, kTimestamptz})) {
    return lake::simple_type(lake::TypeKind::kTimestamptz);
  }
  return lake::simple_type(lake::TypeKind::kString);
}

bool can_be_members(const std::vector<lake::Field>& fields) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name.empty()) return false;
    for (size_t j = 0; j < i; ++j) {
      if (equal_ignoring_case(fields[i].name, fields[j].name)) return false;
    }
  }
  return true;
}

std::optional<lake::Type> struct_type(const FoundType& found) {
  lake::Type type{.kind = lake::TypeKind::kStruct, .fields = {}};
  for (const auto& [name, member] : found.members) {
    if (auto member_type = type_of(member)) {
      type.fields.push_back({0, name, std::move(*member_type), false, ""});
    }
  }
  if (type.fields.empty()) return std::nullopt;
  if (!can_be_members(type.fields)) return lake::simple_type(lake::TypeKind::kString);
  return type;
}

std::optional<lake::Type> list_type(const FoundType& found) {
  auto element = type_of(found.element.front());
  if (!element) return std::nullopt;
  lake::Type type{.kind = lake::TypeKind::kList, .fields = {}};
  type.fields.push_back({0, "element", std::move(*element), false, ""});
  return type;
}

}  // namespace

std::optional<ValueKind> kind_of_token(std::string_view token) {
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.remove_suffix(1);
  if (token.empty() || token.front() == 'n') return std::nullopt;
  if (token.front() == 't' || token.front() == 'f') return ValueKind::kBoolean;
  if (token.front() != '"') return kind_of_number(token);
  // No time has a character that must be escaped.
  return kind_of_text(token.substr(1, token.size() - 2));
}

FoundType& FoundType::member(std::string_view name) {
  for (auto& [known, found] : members) {
    if (known == name) return found;
  }
  return members.emplace_back(std::string(name), FoundType{}).second;
}

void FoundType::merge(FoundType other) {
  kinds.merge(other.kinds);
  is_object = is_object || other.is_object;
  for (auto& [name, found] : other.members) member(name).merge(std::move(found));
  if (other.element.empty()) return;
  if (element.empty()) {
    element = std::move(other.element);
  } else {
    element.front().merge(std::move(other.element.front()));
  }
}

std::optional<lake::Type> type_of(const FoundType& found) {
  const int shapes =
      (found.kinds.empty() ? 0 : 1) + (found.has_objects() ? 1 : 0) + (found.has_lists() ? 1 : 0);
  if (shapes == 0) return std::nullopt;
  if (shapes > 1) return lake::simple_type(lake::TypeKind::kString);
  if (found.has_objects()) return struct_type(found);
  if (found.has_lists()) return list_type(found);
  return scalar_type(found.kinds);
}

}  // namespace headrace::jobs::parse
