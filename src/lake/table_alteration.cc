#include "lake/table_alteration.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "lake/format_version.h"
#include "lake/schema_evolution.h"

namespace headrace::lake {
namespace {

// Where a column stands: the list of fields that it is in, and its own name there.
struct Place {
  std::vector<Field>* fields;
  std::string name;

  std::vector<Field>::iterator find() const {
    return std::find_if(fields->begin(), fields->end(),
                        [&](const Field& field) { return field.name == name; });
  }
};

class Alterer {
 public:
  Alterer(const Table& table, const std::function<Type(const std::string&)>& type_of_sql)
      : table_(table.identifier.to_string()),
        type_of_sql_(type_of_sql),
        renamed_(renamed_columns(table.metadata)),
        schema_(table.metadata.current_schema()) {
    schema_.schema_id = 0;  // it gets one when it is committed
  }

  void drop(const std::string& column) {
    const Place place = place_of(column);
    const auto found = existing(place, column);
    if (place.fields->size() == 1) {
      fail(ErrorKind::kInvalid, "altering {}: \"{}\" is all that is there, and cannot go", table_,
           column);
    }
    place.fields->erase(found);
  }

  void rename(const std::string& from, const std::string& to) {
    const Place place = place_of(from);
    const auto field = existing(place, from);
    check_free({place.fields, to}, to);
    if (place.fields == &schema_.fields) renamed_[field->name] = field->id;
    renamed_.erase(to);
    field->name = to;
  }

  void set_type(const std::string& column, const std::string& type) {
    const Place place = place_of(column);
    const auto field = existing(place, column);
    const Type wanted = type_of_sql_(type);
    if (wanted.is_nested() || field->type.is_nested()) {
      fail(ErrorKind::kUnsupported,
           "altering {}: the type of \"{}\" as a whole; name its members, as \"{}.member\"", table_,
           column, column);
    }
    field->type = wanted;
  }

  void add(const std::string& column, const std::string& type) {
    const Place place = place_of(column);
    check_free(place, column);
    place.fields->push_back({0, place.name, type_of_sql_(type), false, ""});
    renamed_.erase(column);
  }

  Schema schema() && { return std::move(schema_); }
  std::string renamed_text() const {
    JsonObject names;
    for (const auto& [name, id] : renamed_) names[name] = id;
    return to_text(names);
  }

 private:
  // A name with dots is a column's own, or the way to a member.
  Place place_of(const std::string& column) {
    Place place{&schema_.fields, column};
    while (place.find() == place.fields->end()) {
      const size_t dot = place.name.find('.');
      if (dot == std::string::npos) break;
      const Place outer{place.fields, place.name.substr(0, dot)};
      const auto found = outer.find();
      if (found == place.fields->end()) break;
      place = {&members_of(*found, column), place.name.substr(dot + 1)};
    }
    return place;
  }

  // Those of a struct, also when it is the element of a list.
  std::vector<Field>& members_of(Field& field, const std::string& column) {
    Type* type = &field.type;
    while (type->kind == TypeKind::kList) type = &type->fields.front().type;
    if (type->kind != TypeKind::kStruct) {
      fail(ErrorKind::kNotFound, "altering {}: \"{}\" is not there: \"{}\" has no members", table_,
           column, field.name);
    }
    return type->fields;
  }

  std::vector<Field>::iterator existing(const Place& place, const std::string& column) const {
    const auto found = place.find();
    if (found != place.fields->end()) return found;
    std::vector<std::string> names;
    for (const Field& field : *place.fields) names.push_back(field.name);
    fail(ErrorKind::kNotFound, "altering {}: there is no column \"{}\"; there are {}", table_,
         column, join(names, ", "));
  }

  void check_free(const Place& place, const std::string& column) const {
    const auto is_same = [&](const Field& field) {
      return equal_ignoring_case(field.name, place.name);
    };
    if (std::none_of(place.fields->begin(), place.fields->end(), is_same)) return;
    fail(ErrorKind::kAlreadyExists, "altering {}: there is a column \"{}\" already", table_,
         column);
  }

  const std::string table_;
  const std::function<Type(const std::string&)>& type_of_sql_;
  std::map<std::string, int> renamed_;
  Schema schema_;
};

std::vector<std::string> texts_of(const Json& json, const std::string& name) {
  std::vector<std::string> texts;
  const bool is_list =
      json.is_array() && std::all_of(json.get_array().begin(), json.get_array().end(),
                                     [](const Json& entry) { return entry.is_string(); });
  if (!is_list) fail(ErrorKind::kInvalid, "altering a table: \"{}\" must be a list of texts", name);
  for (const Json& entry : json.get_array()) texts.emplace_back(entry.get_string());
  return texts;
}

std::vector<std::pair<std::string, std::string>> pairs_of(const Json& json,
                                                          const std::string& name) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const bool is_map =
      json.is_object() && std::all_of(json.get_object().begin(), json.get_object().end(),
                                      [](const auto& entry) { return entry.value().is_string(); });
  if (!is_map) {
    fail(ErrorKind::kInvalid, "altering a table: \"{}\" must be an object of texts", name);
  }
  for (const auto& [key, value] : json.get_object()) {
    pairs.emplace_back(std::string(key), std::string(value.get_string()));
  }
  return pairs;
}

}  // namespace

TableAlteration table_alteration_from_json(const Json& json) {
  if (!json.is_object()) fail(ErrorKind::kInvalid, "altering a table: the request is no object");
  TableAlteration alteration;
  for (const auto& [key, value] : json.get_object()) {
    const std::string name(key);
    if (name == "drop") {
      alteration.drop = texts_of(value, name);
    } else if (name == "rename") {
      alteration.rename = pairs_of(value, name);
    } else if (name == "type") {
      alteration.type = pairs_of(value, name);
    } else if (name == "add") {
      alteration.add = pairs_of(value, name);
    } else if (name == "partition_by") {
      alteration.partition_by = texts_of(value, name);
    } else if (name == "format_version") {
      if (!value.is_int64()) {
        fail(ErrorKind::kInvalid, "altering a table: \"{}\" must be a number", name);
      }
      alteration.format_version = value.get_int64();
    } else {
      fail(ErrorKind::kInvalid,
           "altering a table: \"{}\" is none of drop, rename, type, add, partition_by and "
           "format_version",
           name);
    }
  }
  if (alteration.is_empty()) fail(ErrorKind::kInvalid, "altering a table: nothing is to be done");
  return alteration;
}

TableChange change_of(const TablePtr& table, const TableAlteration& alteration,
                      const std::function<Type(const std::string&)>& type_of_sql) {
  TableChange change;
  change.base = table;
  change.new_partition_by = alteration.partition_by;
  if (alteration.format_version) {
    check_format_version(*alteration.format_version, "altering " + table->identifier.to_string());
    change.format_version = static_cast<int>(*alteration.format_version);
  }
  Alterer alterer(*table, type_of_sql);
  for (const std::string& column : alteration.drop) alterer.drop(column);
  for (const auto& [from, to] : alteration.rename) alterer.rename(from, to);
  for (const auto& [column, type] : alteration.type) alterer.set_type(column, type);
  for (const auto& [column, type] : alteration.add) alterer.add(column, type);
  const std::string renamed = alterer.renamed_text();
  if (!alteration.rename.empty() || !alteration.add.empty()) {
    change.set_properties[kRenamedProperty] = renamed;
  }
  const bool has_columns = !alteration.drop.empty() || !alteration.rename.empty() ||
                           !alteration.type.empty() || !alteration.add.empty();
  if (has_columns) change.new_schema = std::move(alterer).schema();
  return change;
}

}  // namespace headrace::lake
