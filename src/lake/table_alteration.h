#pragma once

// What a user changes of a table's columns, partitioning and format version.

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lake/table.h"

namespace headrace::lake {

// Columns by their names; members of structs as "address.city". Dropped first, then renamed, given
// types and added.
struct TableAlteration {
  std::vector<std::string> drop = {};
  std::vector<std::pair<std::string, std::string>> rename = {};  // old name, new name
  std::vector<std::pair<std::string, std::string>> type = {};    // name, SQL type
  std::vector<std::pair<std::string, std::string>> add = {};     // likewise
  std::optional<std::vector<std::string>> partition_by = {};     // as in parse_partition_field
  std::optional<int64_t> format_version = {};                    // a greater one

  bool is_empty() const {
    return drop.empty() && rename.empty() && type.empty() && add.empty() && !partition_by &&
           !format_version;
  }
};

// {"drop": ["a"], "rename": {"b": "c"}, "type": {"d": "bigint"}, "add": {"e": "varchar"},
// "partition_by": ["day(ts)"], "format_version": 3}, all of them optional; invalid for anything
// else, and for nothing.
TableAlteration table_alteration_from_json(const Json& json);

// The commit that does it. not_found for a column that is not there, already_exists for one that
// is, invalid for what the format does not allow. `type_of_sql`: reads a type as users write it.
TableChange change_of(const TablePtr& table, const TableAlteration& alteration,
                      const std::function<Type(const std::string&)>& type_of_sql);

}  // namespace headrace::lake
