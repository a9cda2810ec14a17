#include "jobs/node_type.h"

#include <algorithm>

#include "base/error.h"

namespace headrace::jobs {
namespace {

// Larger than any batch: a limit that never limits, but that filters are not moved across.
constexpr const char* kFence = "LIMIT 9223372036854775807";

bool is_lineage(std::string_view column) {
  return std::any_of(std::begin(kLineageColumns), std::end(kLineageColumns),
                     [&](const char* name) { return column == name; });
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 128 &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
}

}  // namespace

bool InputRelation::has(std::string_view column) const {
  return std::any_of(columns.begin(), columns.end(),
                     [&](const engine::Column& candidate) { return candidate.name == column; });
}

std::vector<engine::Column> InputRelation::visible_columns() const {
  std::vector<engine::Column> visible;
  std::copy_if(columns.begin(), columns.end(), std::back_inserter(visible),
               [](const engine::Column& column) { return !is_lineage(column.name); });
  return visible;
}

std::string CompileContext::accepting(const InputRelation& from, const std::string& projection,
                                      const std::string& reason) const {
  const std::string origin =
      from.has_lineage() ? "__topic, __partition, __offset" : "NULL, NULL, NULL";
  const std::string row = from.has_lineage()
                              ? "NULL"
                              : format("to_json({})::VARCHAR", engine::quote_identifier(from.name));
  return format(
      "SELECT {} FROM (SELECT * FROM (SELECT * FROM {} {}) AS {} WHERE headrace_accept({}, {}, {}, "
      "{}, {}) {}) AS {}",
      projection, engine::quote_identifier(from.name), kFence, engine::quote_identifier(from.name),
      engine::quote_literal(job), engine::quote_literal(node), origin, reason, row, kFence,
      engine::quote_identifier(from.name));
}

const NodeType* find_node_type(std::string_view name) {
  const auto& types = node_types();
  const auto found = std::find_if(types.begin(), types.end(),
                                  [&](const NodeType& type) { return type.name == name; });
  return found == types.end() ? nullptr : &*found;
}

std::string complain_about_table_name(const std::string& text) {
  const size_t dot = text.find('.');
  if (dot == std::string::npos) {
    return format("a table is named database.table, for example silver.{}", text);
  }
  if (!is_name(text.substr(0, dot)) || !is_name(text.substr(dot + 1))) {
    return format("'{}' is no table name: database and table are made of letters, digits, _ and -",
                  text);
  }
  const std::string database = text.substr(0, dot);
  for (const char* reserved :
       {"system", "main", "temp", "hot", "information_schema", "pg_catalog", "static"}) {
    if (database == reserved) return format("the database '{}' is headrace's own", reserved);
  }
  return "";
}

lake::TableIdentifier parse_table_name(const std::string& text) {
  const std::string complaint = complain_about_table_name(text);
  if (!complaint.empty()) throw Error(ErrorKind::kInvalid, complaint);
  const size_t dot = text.find('.');
  return {text.substr(0, dot), text.substr(dot + 1)};
}

}  // namespace headrace::jobs
