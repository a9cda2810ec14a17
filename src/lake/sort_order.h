#pragma once

// Sort orders of a table: how the rows of its files are sorted (spec, "Sorting"). In a project
// "ts" or "amount desc"; in metadata JSON with transforms and the place of nulls. Pure.

#include <optional>
#include <string>
#include <vector>

#include "lake/table.h"

namespace headrace::lake {

// The JSON of an order by these columns ("ts", "amount desc", "region asc nulls last"), with this
// id. invalid when one is no column or cannot be sorted by.
JsonObject sort_order_from_text(const Schema& schema, const std::vector<std::string>& sort_by,
                                int order_id);

// Makes the order by these columns the table's default; none: files are not sorted. An order that
// is there already keeps its id.
void set_sort_order(TableMetadata& metadata, const std::vector<std::string>& sort_by);

// A table's default order as SQL; nothing when it has none, or one by what this engine cannot sort.
struct SortOrder {
  int id = 0;
  std::string sql;
};
std::optional<SortOrder> default_sort_order(const TableMetadata& metadata);

}  // namespace headrace::lake
