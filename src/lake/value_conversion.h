#pragma once

// Values of one schema of a table as those of another, in SQL, for rows that are in no file yet.

#include <string>

#include "lake/types.h"

namespace headrace::lake {

// The SQL of a value of type `have` as one of type `wanted`. Members of structs are found by their
// field ids, at any depth, whatever they are called; those that `have` lacks are NULL.
std::string converted_sql(const std::string& value, const Type& have, const Type& wanted);

}  // namespace headrace::lake
