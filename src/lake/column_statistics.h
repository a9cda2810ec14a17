#pragma once

// The engine's statistics of a Parquet file's columns as Iceberg's counts and bounds.

#include <map>
#include <optional>
#include <string>

#include "engine/vector.h"
#include "lake/table.h"

namespace headrace::lake {

using TextMap = std::map<std::string, std::optional<std::string>>;

// A MAP(VARCHAR, VARCHAR) value.
TextMap read_text_map(const engine::VectorView& map, size_t row);

// `statistics`: MAP from a column's quoted path ("s"."x") to its MAP of figures, as COPY …
// RETURN_STATS gives it. Columns inside lists and maps get sizes only, as the format's readers
// expect; columns that hold NaN get no bounds, since readers would skip the NaN rows.
void add_column_statistics(DataFile& file, const Schema& schema,
                           const engine::VectorView& statistics, size_t row);

}  // namespace headrace::lake
