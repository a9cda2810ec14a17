// The SQL that reads data files.
//
// Files are read in groups: those without deletes plainly; those with position deletes through
// headrace_live (delete_function.h), which knows the rows of a file that are gone; those with
// equality deletes (only other engines write these) without the rows that match.

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "engine/database.h"
#include "lake/data_writer.h"
#include "lake/delete_function.h"
#include "lake/delete_set.h"
#include "lake/file_lists.h"
#include "lake/row_lineage.h"
#include "lake/scan_files.h"
#include "lake/table_changes.h"

namespace headrace::lake {
namespace {

using engine::quote_identifier;
using engine::quote_literal;

// Names that the engine gives to a row's file and number; a table's column may be called so, too.
constexpr const char* kFileIndex = "file_index";
constexpr const char* kRowNumber = "file_row_number";

std::string scan_name(const Field& field) {
  const std::string name = to_lower(field.name);
  return name == kFileIndex || name == kRowNumber ? format("column_{}", field.id) : field.name;
}

void collect_members(const Type& type, std::vector<std::string>& members) {
  for (const Field& field : type.fields) {
    if (type.kind == TypeKind::kStruct) {
      members.push_back(format("{}: {}", field.id, quote_literal(field.name)));
    }
    collect_members(field.type, members);
  }
}

// Columns, and members of structs, are found by field id, so files from before one was added or
// renamed read right.
std::string schema_parameters(const std::vector<Field>& fields) {
  std::vector<std::string> columns;
  std::vector<std::string> members;
  for (const Field& field : fields) {
    columns.push_back(format("{}: {{name: {}, type: {}, default_value: NULL}}", field.id,
                             quote_literal(scan_name(field)),
                             quote_literal(to_duckdb(field.type))));
    collect_members(field.type, members);
  }
  std::string parameters = format("schema=MAP {{{}}}", join(columns, ", "));
  if (!members.empty()) parameters += format(", members=MAP {{{}}}", join(members, ", "));
  return parameters;
}

template <class FilePointers>
std::string read_sql(const FilePointers& files, const std::vector<Field>& fields) {
  std::vector<std::string> paths;
  for (const auto& file : files) paths.push_back(quote_literal(engine_path(file->path)));
  return format("headrace_parquet([{}], {}, hive_partitioning=false)", join(paths, ", "),
                schema_parameters(fields));
}

// Data files that are read alike.
struct Group {
  std::shared_ptr<DeleteSet> set;
  std::vector<std::shared_ptr<const DataFile>> equality_deletes;
  std::vector<const DataFile*> files;
  std::vector<size_t> indexes;  // in the caller's list
};

std::vector<std::shared_ptr<const DataFile>> equality_deletes_of(const DataFile& file) {
  std::vector<std::shared_ptr<const DataFile>> result;
  for (const auto& deletes : file.deletes) {
    if (deletes->content == FileContent::kEqualityDeletes) result.push_back(deletes);
  }
  return result;
}

std::vector<Group> groups_of(const std::vector<DataFile>& files) {
  std::map<std::pair<int64_t, std::string>, Group> groups;
  for (size_t i = 0; i < files.size(); ++i) {
    auto equality_deletes = equality_deletes_of(files[i]);
    std::string paths;
    for (const auto& deletes : equality_deletes) paths += deletes->path + "\n";
    Group& group = groups[{files[i].delete_set ? files[i].delete_set->id() : 0, paths}];
    group.set = files[i].delete_set;
    group.equality_deletes = std::move(equality_deletes);
    group.files.push_back(&files[i]);
    group.indexes.push_back(i);
  }
  std::vector<Group> result;
  for (auto& [key, group] : groups) result.push_back(std::move(group));
  return result;
}

std::string live_condition(const Group& group) {
  std::vector<size_t> numbers;
  for (const DataFile* file : group.files) numbers.push_back(file->delete_number);
  return format("headrace_live({}, {}, {}, {}, {})", group.set->id(),
                quote_literal(to_ranges(numbers)), group.set->version_sql(), kFileIndex,
                kRowNumber);
}

// A condition for each set of columns that rows are deleted by.
std::vector<std::string> equality_conditions(const Table& table, const Schema& schema,
                                             const Group& group) {
  std::map<std::vector<int>, std::vector<std::shared_ptr<const DataFile>>> by_columns;
  for (const auto& deletes : group.equality_deletes) {
    by_columns[deletes->equality_ids].push_back(deletes);
  }
  std::vector<std::string> conditions;
  for (const auto& [ids, deletes] : by_columns) {
    std::vector<Field> fields;
    std::vector<std::string> same;
    for (const int id : ids) {
      const Field* field = schema.find_id(id);
      if (field == nullptr || schema.find(field->name) != field) {
        fail(ErrorKind::kUnsupported,
             "reading {}: rows are deleted by a column (id {}) that is not one of the table's; "
             "rewrite its data files with the engine that wrote the deletes",
             table.identifier.to_string(), id);
      }
      fields.push_back(*field);
      same.push_back(
          format("r.{0} IS NOT DISTINCT FROM d.{0}", quote_identifier(scan_name(*field))));
    }
    conditions.push_back(format("NOT EXISTS (SELECT 1 FROM {} d WHERE {})",
                                read_sql(deletes, fields), join(same, " AND ")));
  }
  return conditions;
}

// Which rows of a file a scan gives.
enum class Rows { kLive, kDeleted };

// What a scan gives beside the table's columns.
enum class Extra { kNone, kPlaces, kLineageAndPlaces };

// The relation of a group's files with these columns, deleted rows and all.
using GroupRelation =
    std::function<std::string(const Group& group, const std::vector<Field>& fields)>;

struct ScanForm {
  Extra extra = Extra::kNone;
  Rows rows = Rows::kLive;
  GroupRelation relation = {};               // empty: headrace_parquet of all paths
  bool relation_leaves_deleted_out = false;  // those deleted by position
};

std::string group_sql(const Table& table, const Schema& schema, const Group& group,
                      const std::string& relation, const std::string& columns,
                      const ScanForm& form) {
  std::vector<std::string> conditions = equality_conditions(table, schema, group);
  if (group.set && !form.relation_leaves_deleted_out) {
    const std::string live = live_condition(group);
    conditions.insert(conditions.begin(), form.rows == Rows::kLive ? live : "NOT " + live);
  }
  const std::string sql = format("SELECT {} FROM {} r", columns, relation);
  return conditions.empty() ? sql : format("{} WHERE {}", sql, join(conditions, " AND "));
}

// A number for each file of the group, for the file that a row is of.
std::string by_file(const std::vector<std::string>& numbers) {
  return format("list_extract([{}]::BIGINT[], {}::BIGINT + 1)", join(numbers, ", "), kFileIndex);
}

// The index of a row's file in the caller's list.
std::string file_column(const Group& group) {
  std::vector<std::string> indexes;
  for (const size_t index : group.indexes) indexes.push_back(format("{}", index));
  return by_file(indexes) + " AS _file";
}

// Rows without an id of their own in the file have that of their place; without a sequence number,
// that of their file. None has either when the file has no first id.
std::string lineage_columns(const Group& group, const std::vector<Field>& lineage) {
  std::vector<std::string> first_ids;
  std::vector<std::string> sequence_numbers;
  for (const DataFile* file : group.files) {
    first_ids.push_back(file->first_row_id ? format("{}", *file->first_row_id) : "NULL");
    sequence_numbers.push_back(format("{}", file->sequence_number));
  }
  const std::string first_id = by_file(first_ids);
  const auto column = [&](const Field& field, const std::string& inherited) {
    const std::string name = quote_identifier(field.name);
    return format("CASE WHEN {} IS NOT NULL THEN coalesce({}, {}) END AS {}", first_id, name,
                  inherited, name);
  };
  return format("{}, {}", column(lineage[0], format("{} + {}", first_id, kRowNumber)),
                column(lineage[1], by_file(sequence_numbers)));
}

std::string scan(const Table& table, const Schema& schema, const std::vector<DataFile>& files,
                 const ScanForm& form = {}) {
  const GroupRelation relation =
      form.relation ? form.relation : [](const Group& group, const std::vector<Field>& fields) {
        return read_sql(group.files, fields);
      };
  std::vector<std::string> columns;
  std::vector<std::string> empty;
  for (const Field& field : schema.fields) {
    columns.push_back(
        format("{} AS {}", quote_identifier(scan_name(field)), quote_identifier(field.name)));
    empty.push_back(
        format("CAST(NULL AS {}) AS {}", to_duckdb(field.type), quote_identifier(field.name)));
  }
  std::vector<Field> read = schema.fields;
  std::vector<Field> lineage;
  if (form.extra == Extra::kLineageAndPlaces) lineage = lineage_fields(schema);
  for (const Field& field : lineage) {
    empty.push_back(format("NULL::BIGINT AS {}", quote_identifier(field.name)));
    read.push_back(field);
  }
  if (form.extra != Extra::kNone) {
    empty.emplace_back("NULL::BIGINT AS _file, NULL::BIGINT AS _position");
  }
  if (files.empty()) return format("SELECT {} WHERE false", join(empty, ", "));
  std::vector<std::string> parts;
  for (const Group& group : groups_of(files)) {
    std::string selected = format("{}", join(columns, ", "));
    if (!lineage.empty()) selected += ", " + lineage_columns(group, lineage);
    if (form.extra != Extra::kNone) {
      selected += format(", {}, {} AS _position", file_column(group), kRowNumber);
    }
    parts.push_back(group_sql(table, schema, group, relation(group, read), selected, form));
  }
  return format("{}", join(parts, " UNION ALL "));
}

}  // namespace

std::string scan_sql(const Table& table, const std::vector<DataFile>& files) {
  return scan(table, table.metadata.current_schema(), files);
}

std::string scan_sql(const Table& table, const Schema& schema, const std::vector<DataFile>& files) {
  return scan(table, schema, files);
}

std::string scan_rows_sql(const Table& table, const std::vector<DataFile>& files) {
  return scan(table, table.metadata.current_schema(), files, {.extra = Extra::kPlaces});
}

std::string scan_moving_rows_sql(const Table& table, const std::vector<DataFile>& files) {
  return scan(table, table.metadata.current_schema(), files, {.extra = Extra::kLineageAndPlaces});
}

std::string gone_rows_sql(const Table& table, const std::vector<DataFile>& files) {
  return scan(table, table.metadata.current_schema(), files, {.rows = Rows::kDeleted});
}

namespace {

// The relation of a list of files, which the scan then holds.
std::string list_sql(Scan& scan, FileListPtr list, const std::vector<Field>& fields,
                     const DeleteSet* deletes) {
  scan.lists.push_back(std::move(list));
  return format("headrace_files({}, {}, hive_partitioning=false{})",
                quote_literal(put_file_list(scan.lists.back())), schema_parameters(fields),
                deletes == nullptr ? "" : ", version=" + deletes->version_sql());
}

bool has_deletes(const ManifestList& manifests) {
  return std::any_of(manifests.begin(), manifests.end(), [](const ManifestFile& manifest) {
    return manifest.content == ManifestContent::kDeletes && manifest.live_files() > 0;
  });
}

}  // namespace

Scan make_scan(const TablePtr& table, const Schema& schema, const DataFilesPtr& files) {
  Scan result;
  const GroupRelation relation = [&](const Group& group, const std::vector<Field>& fields) {
    return list_sql(result, given_files(table, schema, files, group.indexes), fields,
                    group.set.get());
  };
  result.sql =
      scan(*table, schema, *files, {.relation = relation, .relation_leaves_deleted_out = true});
  return result;
}

Scan make_scan(Catalog& catalog, const TablePtr& table, const Schema& schema,
               SnapshotId snapshot_id) {
  const ManifestListPtr manifests = catalog.manifests(*table, snapshot_id);
  FileListPtr list;
  if (!has_deletes(*manifests)) list = snapshot_files(catalog, table, schema, *manifests);
  if (!list || list->size() == 0) {
    return make_scan(
        table, schema,
        std::make_shared<const std::vector<DataFile>>(catalog.files(*table, snapshot_id)));
  }
  Scan result;
  std::string relation = list_sql(result, std::move(list), schema.fields, nullptr);
  // One group of files, whichever they are.
  const std::vector<DataFile> any(1);
  result.sql =
      scan(*table, schema, any, {.relation = [&](const Group&, const auto&) { return relation; }});
  return result;
}

}  // namespace headrace::lake
