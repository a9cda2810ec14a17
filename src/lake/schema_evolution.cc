#include "lake/schema_evolution.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/text.h"

namespace headrace::lake {
namespace {

Field* find_name(std::vector<Field>& fields, const std::string& name) {
  for (Field& field : fields) {
    if (field.name == name) return &field;
  }
  for (Field& field : fields) {
    if (equal_ignoring_case(field.name, name)) return &field;
  }
  return nullptr;
}

void forget_ids(Type& type) {
  for (Field& field : type.fields) {
    field.id = 0;
    forget_ids(field.type);
  }
}

class Evolver {
 public:
  bool is_changed() const { return is_changed_; }

  void add(std::vector<Field>& fields, const Field& wanted) {
    Field added{0, wanted.name, wanted.type, false, ""};
    forget_ids(added.type);
    fields.push_back(std::move(added));
    is_changed_ = true;
  }

  // False: no type holds the values of both in the same files.
  bool widen(Type& type, const Type& wanted) {
    if (type.kind == TypeKind::kStruct && wanted.kind == TypeKind::kStruct) {
      return widen_members(type, wanted);
    }
    if (type.kind == TypeKind::kList && wanted.kind == TypeKind::kList) {
      return widen(type.fields.front().type, wanted.fields.front().type);
    }
    if (type.kind == TypeKind::kMap && wanted.kind == TypeKind::kMap) {
      return to_duckdb(type.fields.front().type) == to_duckdb(wanted.fields.front().type) &&
             widen(type.fields.back().type, wanted.fields.back().type);
    }
    if (holds(type, wanted)) return true;
    if (!may_widen(type, wanted)) return false;
    type = wanted;
    is_changed_ = true;
    return true;
  }

 private:
  bool widen_members(Type& type, const Type& wanted) {
    for (const Field& member : wanted.fields) {
      Field* known = find_name(type.fields, member.name);
      if (known == nullptr) {
        add(type.fields, member);
      } else if (!widen(known->type, member.type)) {
        return false;
      }
    }
    return true;
  }

  static bool holds(const Type& type, const Type& values) {
    if (to_duckdb(type) == to_duckdb(values)) return true;
    if (type.kind == TypeKind::kLong && values.kind == TypeKind::kInt) return true;
    if (type.kind == TypeKind::kDouble && values.kind == TypeKind::kFloat) return true;
    return type.kind == TypeKind::kDecimal && values.kind == TypeKind::kDecimal &&
           type.scale == values.scale && type.precision >= values.precision;
  }

  static bool may_widen(const Type& type, const Type& wanted) {
    if (type.kind == TypeKind::kInt && wanted.kind == TypeKind::kLong) return true;
    if (type.kind == TypeKind::kFloat && wanted.kind == TypeKind::kDouble) return true;
    return type.kind == TypeKind::kDecimal && wanted.kind == TypeKind::kDecimal &&
           type.scale == wanted.scale && type.precision < wanted.precision;
  }

  bool is_changed_ = false;
};

// By its name, or by one that it had, unless its present name is given as well.
Field* find_column(Schema& schema, const std::string& name,
                   const std::map<std::string, int>& renamed, const std::vector<Field>& given) {
  if (Field* field = find_name(schema.fields, name)) return field;
  const auto former = renamed.find(name);
  if (former == renamed.end()) return nullptr;
  for (Field& field : schema.fields) {
    if (field.id != former->second) continue;
    const bool is_given = std::any_of(given.begin(), given.end(), [&](const Field& column) {
      return equal_ignoring_case(column.name, field.name);
    });
    return is_given ? nullptr : &field;
  }
  return nullptr;
}

}  // namespace

std::map<std::string, int> renamed_columns(const TableMetadata& metadata) {
  std::map<std::string, int> renamed;
  const auto property = metadata.properties.find(kRenamedProperty);
  if (property == metadata.properties.end()) return renamed;
  const Json json = parse_json(property->second, kRenamedProperty);
  if (!json.is_object()) return renamed;
  for (const auto& [name, id] : json.get_object()) {
    if (id.is_int64()) renamed[std::string(name)] = static_cast<int>(id.get_int64());
  }
  return renamed;
}

SchemaEvolution evolve(const TableMetadata& metadata, const std::vector<Field>& given) {
  const Schema& before = metadata.current_schema();
  const std::map<std::string, int> renamed = renamed_columns(metadata);
  SchemaEvolution result;
  result.table = before;
  Evolver evolver;
  std::vector<std::string> names;  // of the table's columns, for each given one
  for (const Field& column : given) {
    Field* known = find_column(result.table, column.name, renamed, given);
    names.push_back(known == nullptr ? column.name : known->name);
    if (known == nullptr) {
      evolver.add(result.table.fields, column);
    } else if (Type type = known->type; evolver.widen(type, column.type)) {
      known->type = std::move(type);
    } else {
      result.misfits.push_back(format("column \"{}\" is {} in the table and cannot take {}",
                                      known->name, to_duckdb(known->type), to_duckdb(column.type)));
    }
  }
  result.is_changed = evolver.is_changed();
  // Columns that are not committed yet have ids beyond the table's last one.
  int last_id = std::max(metadata.last_column_id, before.highest_field_id());
  assign_ids(result.table.fields, last_id);
  if (result.is_changed) result.table.schema_id = 0;  // it gets one when it is committed
  for (size_t i = 0; i < given.size(); ++i) {
    result.written.fields.push_back(*result.table.find(names[i]));
    result.written.fields.back().name = given[i].name;
  }
  for (const Field& field : before.fields) {
    const bool is_written =
        std::any_of(result.written.fields.begin(), result.written.fields.end(),
                    [&](const Field& written) { return written.id == field.id; });
    if (!field.required || is_written) continue;
    result.misfits.push_back(
        format("the table's column \"{}\" must not be empty, and nothing fills it", field.name));
  }
  result.written.schema_id = -1;  // none of the table's
  return result;
}

TablePtr with_schema(const TablePtr& table, const Schema& schema) {
  auto copy = std::make_shared<Table>(*table);
  copy->metadata.schemas = {schema};
  copy->metadata.current_schema_id = schema.schema_id;
  return copy;
}

}  // namespace headrace::lake
