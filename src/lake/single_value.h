#pragma once

// Iceberg's binary form of a single value (spec, appendix D "Binary single-value serialization"),
// from and to DuckDB's text of it. Pure functions, any thread. Error invalid for text that is not a
// value of the type, unsupported for nested types, corrupt for bytes of a wrong length.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lake/types.h"

namespace headrace::lake {

std::string single_value_from_text(const Type& type, std::string_view text);
std::string single_value_to_text(const Type& type, std::string_view bytes);

// Integers behind the text of a type: days of a date, micros of a time or timestamp.
int64_t integer_from_text(const Type& type, std::string_view text);
std::string integer_to_text(const Type& type, int64_t value);

// Strings and binaries are shortened to this many code points or bytes in bounds.
inline constexpr size_t kBoundLength = 16;
// Bounds of a column from the text of its least and greatest value; a long upper bound is rounded
// up. nullopt: there is no upper bound of that length, or the value is not finite.
std::optional<std::string> lower_bound_from_text(const Type& type, std::string_view text);
std::optional<std::string> upper_bound_from_text(const Type& type, std::string_view text);

// < 0, 0, > 0 in the order of the type.
int compare_single_values(const Type& type, std::string_view a, std::string_view b);

}  // namespace headrace::lake
