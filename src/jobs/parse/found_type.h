#pragma once

// What kinds of values a JSON field was seen to have, and the column type that holds them.
//
// Values are looked at one by one and merged; only then is a type chosen, so the order in which
// they come does not matter. A field that was only null, [] or {} so far has no type yet.

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lake/types.h"

namespace headrace::jobs::parse {

// Of one value. kLarge: whole, but not exact as a double; kHuge: beyond 64 bits, up to 38 digits;
// kOddObject: its members' names are empty or differ only in case, which no struct can have.
enum class ValueKind {
  kBoolean,
  kInteger,
  kLarge,
  kHuge,
  kDouble,
  kDate,
  kTimestamp,
  kTimestamptz,
  kText,
  kOddObject
};

// The kind of a scalar by its JSON token (a string with its quotes); nothing for null.
std::optional<ValueKind> kind_of_token(std::string_view token);

struct FoundType {
  std::set<ValueKind> kinds = {};
  bool is_object = false;
  std::vector<std::pair<std::string, FoundType>> members = {};  // of objects, in order of coming
  std::vector<FoundType> element = {};                          // of lists: one, when one was seen

  FoundType& member(std::string_view name);
  bool has_objects() const { return is_object; }
  bool has_lists() const { return !element.empty(); }
  void merge(FoundType other);
};

// The narrowest type that holds all that was seen without loss; nothing when there is none yet.
std::optional<lake::Type> type_of(const FoundType& found);

// Of values that are not of their column's type: the type and the name of the column beside it that
// takes them.
lake::TypeKind split_type(ValueKind kind);
std::string split_name(std::string_view name, lake::TypeKind kind);

}  // namespace headrace::jobs::parse
