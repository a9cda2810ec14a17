#pragma once

// views/*.sql: an incremental view each. Its settings stand in the comments above the query:
//
//   -- table: gold.orders_per_day
//   SELECT …
//
// A comment line of the form `-- field: value` above the first line of SQL is a setting, whose
// value is YAML; other comments are for people.

#include <string>
#include <string_view>

#include "config/fields.h"
#include "project/component_type.h"

namespace headrace::project {

struct ViewDefinition {
  std::string name;   // of the file
  std::string table;  // that it keeps up to date
  std::string sql;    // the whole file, comments too, so that lines in messages are right
  std::string file;
  int first_sql_line = 1;
  config::Node header;  // all settings, with their places

  static config::Fields<ViewDefinition> fields();
  static std::vector<std::string> generic_fields() { return {"table"}; }
};

ViewDefinition read_view(std::string_view text, const std::string& file,
                         const std::string& file_stem, const ComponentTypes& types,
                         config::Problems& problems, const config::Environment& environment);

}  // namespace headrace::project
