#pragma once

// What a query wants of the rows of a scan, in the engine's own terms taken apart, so that a scan
// can leave out what holds no such row.
//
// A condition may be less than what the query says, never more: where a part is not understood it
// is kUnknown, which any row may meet.

#include <cstddef>
#include <string>
#include <vector>

namespace headrace::engine {

struct Condition {
  enum class Kind {
    kUnknown,
    kAnd,  // of `parts`
    kOr,
    kEqual,  // `column` is compared with the one value
    kNotEqual,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
    kIn,          // `column` equals one of the values
    kStartsWith,  // `column`, a text, begins with the value
    kIsNull,
    kIsNotNull,
  };
  Kind kind = Kind::kUnknown;
  std::vector<Condition> parts = {};
  size_t column = 0;  // its place among the scan's columns
  // The type in which the column is compared, as the engine spells it: its own, or one that the
  // query casts it to.
  std::string type = {};
  // As the engine prints values of that type; never NULL.
  std::vector<std::string> values = {};
};

}  // namespace headrace::engine
