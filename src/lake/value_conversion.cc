#include "lake/value_conversion.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "engine/database.h"

namespace headrace::lake {
namespace {

using engine::quote_identifier;
using engine::quote_literal;

const Field* find_id(const std::vector<Field>& fields, int id) {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const Field& field) { return field.id == id; });
  return found == fields.end() ? nullptr : &*found;
}

// Whether a CAST, which finds members by name, finds those that their ids tell.
bool same_by_name(const Type& have, const Type& wanted) {
  if (have.kind != wanted.kind || !wanted.is_nested()) return true;
  if (have.kind != TypeKind::kStruct) {
    return std::equal(have.fields.begin(), have.fields.end(), wanted.fields.begin(),
                      wanted.fields.end(),
                      [](const Field& a, const Field& b) { return same_by_name(a.type, b.type); });
  }
  // A CAST between structs wants a member that both have.
  bool shares_member = false;
  for (const Field& member : wanted.fields) {
    const Field* had = find_id(have.fields, member.id);
    const bool name_is_there = std::any_of(
        have.fields.begin(), have.fields.end(),
        [&](const Field& other) { return equal_ignoring_case(other.name, member.name); });
    if (had == nullptr && !name_is_there) continue;
    if (had == nullptr || !equal_ignoring_case(had->name, member.name)) return false;
    if (!same_by_name(had->type, member.type)) return false;
    shares_member = true;
  }
  return shares_member;
}

std::string cast_sql(const std::string& value, const Type& have, const Type& wanted) {
  const std::string type = to_duckdb(wanted);
  return to_duckdb(have) == type ? value : format("CAST({} AS {})", value, type);
}

// `depth`: of the lambdas that this is in.
std::string converted(const std::string& value, const Type& have, const Type& wanted, int depth);

std::string members_sql(const std::string& value, const Type& have, const Type& wanted, int depth) {
  std::vector<std::string> members;
  for (const Field& member : wanted.fields) {
    const Field* had = find_id(have.fields, member.id);
    const std::string inner =
        had == nullptr
            ? format("CAST(NULL AS {})", to_duckdb(member.type))
            : converted(format("struct_extract({}, {})", value, quote_literal(had->name)),
                        had->type, member.type, depth);
    members.push_back(format("{} := {}", quote_identifier(member.name), inner));
  }
  return format("CASE WHEN {} IS NOT NULL THEN struct_pack({}) END", value, join(members, ", "));
}

std::string elements_sql(const std::string& value, const Type& have, const Type& wanted,
                         int depth) {
  const std::string element = format("element_{}", depth);
  return format(
      "list_transform({}, lambda {}: {})", value, element,
      converted(element, have.fields.front().type, wanted.fields.front().type, depth + 1));
}

std::string entries_sql(const std::string& value, const Type& have, const Type& wanted, int depth) {
  const std::string entry = format("entry_{}", depth);
  const auto part = [&](const char* name, const Field& had, const Field& field) {
    return format("{} := {}", name,
                  converted(format("{}.{}", entry, name), had.type, field.type, depth + 1));
  };
  return format("map_from_entries(list_transform(map_entries({}), lambda {}: struct_pack({}, {})))",
                value, entry, part("key", have.fields.front(), wanted.fields.front()),
                part("value", have.fields.back(), wanted.fields.back()));
}

std::string converted(const std::string& value, const Type& have, const Type& wanted, int depth) {
  if (same_by_name(have, wanted)) return cast_sql(value, have, wanted);
  switch (wanted.kind) {
    case TypeKind::kStruct:
      return members_sql(value, have, wanted, depth);
    case TypeKind::kList:
      return elements_sql(value, have, wanted, depth);
    default:
      return entries_sql(value, have, wanted, depth);
  }
}

}  // namespace

std::string converted_sql(const std::string& value, const Type& have, const Type& wanted) {
  return converted(value, have, wanted, 1);
}

}  // namespace headrace::lake
