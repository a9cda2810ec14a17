#include "lake/schema_change.h"

#include <algorithm>
#include <set>

#include "base/error.h"

namespace headrace::lake {
namespace {

bool may_become(const Type& from, const Type& to) {
  if (from.kind == to.kind) {
    if (from.kind == TypeKind::kDecimal) {
      return from.scale == to.scale && from.precision <= to.precision;
    }
    return from.kind != TypeKind::kFixed || from.length == to.length;
  }
  return (from.kind == TypeKind::kInt && to.kind == TypeKind::kLong) ||
         (from.kind == TypeKind::kFloat && to.kind == TypeKind::kDouble);
}

void check_fields(const std::vector<Field>& fields, const Schema& before, int last_known_id,
                  bool nested, std::set<int>& seen) {
  std::set<std::string> names;
  for (const Field& field : fields) {
    if (field.name.empty() || !names.insert(field.name).second) {
      fail(ErrorKind::kInvalid, "changing columns: \"{}\" appears twice or is empty", field.name);
    }
    if (!seen.insert(field.id).second) {
      fail(ErrorKind::kInvalid, "changing columns: field id {} appears twice", field.id);
    }
    const Field* old = before.find_id(field.id);
    if (old == nullptr && field.id <= last_known_id) {
      fail(ErrorKind::kInvalid, "changing columns: \"{}\" has field id {}, which is used up",
           field.name, field.id);
    }
    if (old == nullptr && field.required && !nested) {
      fail(ErrorKind::kInvalid, "changing columns: new column \"{}\" cannot be required",
           field.name);
    }
    if (old != nullptr &&
        (!may_become(old->type, field.type) || (field.required && !old->required))) {
      fail(ErrorKind::kInvalid,
           "changing columns: \"{}\" cannot go from {} to {}; only int → long, float → double and "
           "more digits of a decimal keep old files readable",
           field.name, to_duckdb(old->type), to_duckdb(field.type));
    }
    check_fields(field.type.fields, before, last_known_id, true, seen);
  }
}

void check_still_readable(const std::vector<Field>& fields, const Schema& before, bool nested) {
  for (const Field& field : fields) {
    const Field* old = before.find_id(field.id);
    if (old == nullptr && field.required && !nested) {
      fail(
          ErrorKind::kInvalid,
          "changing columns: new column \"{}\" cannot be required: the rows that are there lack it",
          field.name);
    }
    if (old != nullptr && !may_become(old->type, field.type)) {
      fail(ErrorKind::kInvalid, "changing columns: \"{}\" cannot go from {} to {}", old->name,
           to_duckdb(old->type), to_duckdb(field.type));
    }
    check_still_readable(field.type.fields, before, true);
  }
}

// A field keeps its id only where it is: nobody finds it elsewhere in old files.
void check_not_moved(const std::vector<Field>& fields, const std::vector<Field>& olds,
                     const Schema& before) {
  for (const Field& field : fields) {
    const auto old = std::find_if(olds.begin(), olds.end(),
                                  [&](const Field& other) { return other.id == field.id; });
    if (old == olds.end() && before.find_id(field.id) != nullptr) {
      fail(ErrorKind::kInvalid, "changing columns: \"{}\" cannot move into or out of a struct",
           field.name);
    }
    check_not_moved(field.type.fields, old == olds.end() ? std::vector<Field>() : old->type.fields,
                    before);
  }
}

// The engine reads a struct of an old file only when it has a member that the struct still has.
void check_shares_members(const std::vector<Field>& fields, const Schema& known) {
  for (const Field& field : fields) {
    check_shares_members(field.type.fields, known);
    const Field* old = known.find_id(field.id);
    if (field.type.kind != TypeKind::kStruct || old == nullptr) continue;
    const bool shares =
        std::any_of(field.type.fields.begin(), field.type.fields.end(), [&](const Field& member) {
          return std::any_of(old->type.fields.begin(), old->type.fields.end(),
                             [&](const Field& other) { return other.id == member.id; });
        });
    if (shares) continue;
    fail(ErrorKind::kUnsupported,
         "changing columns: of the members that \"{}\" has in old files none would be left, and "
         "these could not be read: keep one, or drop the whole column",
         field.name);
  }
}

}  // namespace

void check_members(const TableMetadata& metadata, const Schema& schema) {
  for (const Schema& known : metadata.schemas) {
    if (known.schema_id != schema.schema_id) check_shares_members(schema.fields, known);
  }
}

void check_still_readable(const Schema& before, const Schema& after) {
  check_not_moved(after.fields, before.fields, before);
  check_still_readable(after.fields, before, false);
}

Schema changed_schema(const TableMetadata& metadata, const Schema& wanted) {
  Schema schema = wanted;
  const Schema& before = metadata.current_schema();
  int last_id = metadata.last_column_id;
  assign_ids(schema.fields, last_id);
  std::set<int> seen;
  for (const PartitionField& field : metadata.default_spec().fields) {
    if (schema.find_id(field.source_id) == nullptr) {
      fail(ErrorKind::kInvalid,
           "changing columns: the table is partitioned by field {}, which "
           "cannot go",
           field.source_id);
    }
  }
  check_not_moved(schema.fields, before.fields, before);
  check_fields(schema.fields, before, metadata.last_column_id, false, seen);
  schema.unknown = before.unknown;
  for (const Schema& known : metadata.schemas) {
    schema.schema_id = std::max(schema.schema_id, known.schema_id + 1);
  }
  check_members(metadata, schema);
  return schema;
}

}  // namespace headrace::lake
