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

// The names that members and columns had: of the struct that they are in (0: the table) and, in
// lower case, their name, the id of the newest that was called so.
using FormerNames = std::map<std::pair<int, std::string>, int>;

void collect_names(const std::vector<Field>& fields, int struct_id, FormerNames& names) {
  for (const Field& field : fields) {
    names[{struct_id, to_lower(field.name)}] = field.id;
    collect_names(field.type.fields, field.id, names);
  }
}

FormerNames former_names(const TableMetadata& metadata) {
  std::vector<const Schema*> schemas;
  for (const Schema& schema : metadata.schemas) schemas.push_back(&schema);
  std::sort(schemas.begin(), schemas.end(),
            [](const Schema* a, const Schema* b) { return a->schema_id < b->schema_id; });
  FormerNames names;
  for (const Schema* schema : schemas) collect_names(schema->fields, 0, names);
  for (const auto& [name, id] : renamed_columns(metadata)) names[{0, to_lower(name)}] = id;
  return names;
}

class Evolver {
 public:
  explicit Evolver(FormerNames names) : former_(std::move(names)) {}
  bool is_changed() const { return is_changed_; }

  // By its name, or by one that it had, unless its present name is given as well.
  Field* find(std::vector<Field>& fields, int struct_id, const std::string& name,
              const std::vector<Field>& given) const {
    if (Field* field = find_name(fields, name)) return field;
    const auto former = former_.find({struct_id, to_lower(name)});
    if (former == former_.end()) return nullptr;
    for (Field& field : fields) {
      if (field.id != former->second) continue;
      const bool is_given = std::any_of(given.begin(), given.end(), [&](const Field& other) {
        return equal_ignoring_case(other.name, field.name);
      });
      return is_given ? nullptr : &field;
    }
    return nullptr;
  }

  void add(std::vector<Field>& fields, const Field& wanted) {
    Field added{0, wanted.name, wanted.type, false, ""};
    forget_ids(added.type);
    fields.push_back(std::move(added));
    is_changed_ = true;
  }

  // False: no type holds the values of both in the same files.
  bool widen(Field& field, const Type& wanted) {
    Type& type = field.type;
    if (type.kind == TypeKind::kStruct && wanted.kind == TypeKind::kStruct) {
      return widen_members(field, wanted);
    }
    if (type.kind == TypeKind::kList && wanted.kind == TypeKind::kList) {
      return widen(type.fields.front(), wanted.fields.front().type);
    }
    if (type.kind == TypeKind::kMap && wanted.kind == TypeKind::kMap) {
      return to_duckdb(type.fields.front().type) == to_duckdb(wanted.fields.front().type) &&
             widen(type.fields.back(), wanted.fields.back().type);
    }
    if (holds(type, wanted)) return true;
    if (!may_widen(type, wanted)) return false;
    type = wanted;
    is_changed_ = true;
    return true;
  }

  // A field of the table as rows give it: its members are called as they call them.
  Field as_given(Field field, const Field& given) const {
    field.name = given.name;
    name_members(field, given.type);
    return field;
  }

 private:
  bool widen_members(Field& field, const Type& wanted) {
    for (const Field& member : wanted.fields) {
      Field* known = find(field.type.fields, field.id, member.name, wanted.fields);
      if (known == nullptr) {
        add(field.type.fields, member);
      } else if (!widen(*known, member.type)) {
        return false;
      }
    }
    return true;
  }

  void name_members(Field& field, const Type& given) const {
    if (field.type.kind == TypeKind::kStruct) {
      std::vector<std::pair<Field*, const Field*>> pairs;
      for (const Field& member : given.fields) {
        Field* known = find(field.type.fields, field.id, member.name, given.fields);
        if (known != nullptr) pairs.emplace_back(known, &member);
      }
      for (const auto& [known, member] : pairs) *known = as_given(std::move(*known), *member);
      return;
    }
    for (size_t i = 0; i < field.type.fields.size() && i < given.fields.size(); ++i) {
      name_members(field.type.fields[i], given.fields[i].type);
    }
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

  const FormerNames former_;
  bool is_changed_ = false;
};

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

SchemaEvolution evolve(const TableMetadata& metadata, const Schema& current,
                       const std::vector<Field>& given) {
  SchemaEvolution result;
  result.table = current;
  Evolver evolver(former_names(metadata));
  std::vector<std::string> names;  // of the table's columns, for each given one
  for (const Field& column : given) {
    Field* known = evolver.find(result.table.fields, 0, column.name, given);
    names.push_back(known == nullptr ? column.name : known->name);
    if (known == nullptr) {
      evolver.add(result.table.fields, column);
    } else if (Field wide = *known; evolver.widen(wide, column.type)) {
      *known = std::move(wide);
    } else {
      result.misfits.push_back(format("column \"{}\" is {} in the table and cannot take {}",
                                      known->name, to_duckdb(known->type), to_duckdb(column.type)));
    }
  }
  result.is_changed = evolver.is_changed();
  // Columns that are not committed yet have ids beyond the table's last one.
  int last_id = std::max(metadata.last_column_id, current.highest_field_id());
  assign_ids(result.table.fields, last_id);
  if (result.is_changed) result.table.schema_id = 0;  // it gets one when it is committed
  for (size_t i = 0; i < given.size(); ++i) {
    result.written.fields.push_back(evolver.as_given(*result.table.find(names[i]), given[i]));
  }
  for (const Field& field : current.fields) {
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
