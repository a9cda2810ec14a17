#pragma once

// The table property by which readers give field ids to Parquet files that carry none (Iceberg
// spec, "Column Projection").

#include <string>

#include "lake/types.h"

namespace headrace::lake {

inline constexpr const char* kNameMappingProperty = "schema.name-mapping.default";

std::string name_mapping(const Schema& schema);

}  // namespace headrace::lake
