#pragma once

// Partition transforms (Iceberg spec, "Partition Transforms"): what they give, how DuckDB computes
// them, and how they are spelled. Pure functions, any thread.

#include <string>

#include "engine/database.h"
#include "lake/types.h"

namespace headrace::lake {

// The type of a transformed value: day gives date, year, month, hour and bucket int, identity and
// truncate the source's type, void as well. Error invalid when it cannot be applied to the type.
Type result_type(const Transform& transform, const Type& source);

// "day", "bucket[16]", … Error unsupported for a name that the format does not know.
Transform transform_from_text(const std::string& text);

// The SQL that transforms `column` (SQL, of type `source`) into its result type. Needs
// register_transform_functions for bucket.
std::string transform_sql(const Transform& transform, const std::string& column,
                          const Type& source);

// headrace_murmur3_* for bucket. Once for each database, before the first write.
void register_transform_functions(engine::Database& database);

}  // namespace headrace::lake
