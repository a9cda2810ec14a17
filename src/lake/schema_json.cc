#include <charconv>
#include <map>

#include "base/error.h"
#include "lake/types.h"

namespace headrace::lake {
namespace {

const std::map<std::string, TypeKind, std::less<>>& primitive_names() {
  static const std::map<std::string, TypeKind, std::less<>> names = {
      {"boolean", TypeKind::kBoolean},
      {"int", TypeKind::kInt},
      {"long", TypeKind::kLong},
      {"float", TypeKind::kFloat},
      {"double", TypeKind::kDouble},
      {"date", TypeKind::kDate},
      {"time", TypeKind::kTime},
      {"timestamp", TypeKind::kTimestamp},
      {"timestamptz", TypeKind::kTimestamptz},
      {"string", TypeKind::kString},
      {"uuid", TypeKind::kUuid},
      {"binary", TypeKind::kBinary}};
  return names;
}

std::string primitive_text(const Type& type) {
  if (type.kind == TypeKind::kDecimal) {
    return format("decimal({}, {})", type.precision, type.scale);
  }
  if (type.kind == TypeKind::kFixed) return format("fixed[{}]", type.length);
  for (const auto& [name, kind] : primitive_names()) {
    if (kind == type.kind) return name;
  }
  fail(ErrorKind::kInternal, "writing a type: kind {} has no name", static_cast<int>(type.kind));
}

// The integers in "decimal(18, 4)" or "fixed[16]"; empty when there is anything else.
std::vector<int> arguments_of(std::string_view text, char open, char close) {
  std::vector<int> numbers;
  const size_t begin = text.find(open);
  if (begin == std::string_view::npos || text.back() != close) return {};
  std::string_view rest = text.substr(begin + 1, text.size() - begin - 2);
  while (!rest.empty()) {
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == ',')) rest.remove_prefix(1);
    int number = 0;
    const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (code != std::errc{}) return {};
    numbers.push_back(number);
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  }
  return numbers;
}

Type primitive_from_text(std::string_view text) {
  if (const auto found = primitive_names().find(text); found != primitive_names().end()) {
    return simple_type(found->second);
  }
  if (text.starts_with("decimal(")) {
    const std::vector<int> numbers = arguments_of(text, '(', ')');
    if (numbers.size() == 2 && numbers[0] >= 1 && numbers[0] <= 38 && numbers[1] >= 0 &&
        numbers[1] <= numbers[0]) {
      return {
          .kind = TypeKind::kDecimal, .precision = numbers[0], .scale = numbers[1], .fields = {}};
    }
  }
  if (text.starts_with("fixed[")) {
    const std::vector<int> numbers = arguments_of(text, '[', ']');
    if (numbers.size() == 1 && numbers[0] > 0) {
      return {.kind = TypeKind::kFixed, .length = numbers[0], .fields = {}};
    }
  }
  fail(ErrorKind::kUnsupported,
       "reading a table's schema: type \"{}\" is not one that headrace knows (of format version 3 "
       "it "
       "does not read variant, geometry, geography, unknown, timestamp_ns and timestamptz_ns)",
       text);
}

Json field_json(const Field& field) {
  JsonObject object{{"id", field.id},
                    {"name", field.name},
                    {"required", field.required},
                    {"type", to_json(field.type)}};
  if (!field.doc.empty()) object["doc"] = field.doc;
  return object;
}

JsonArray fields_json(const std::vector<Field>& fields) {
  JsonArray array;
  for (const Field& field : fields) array.push_back(field_json(field));
  return array;
}

bool boolean_member(const Json& object, std::string_view name) {
  const Json& value = member(object, name);
  if (!value.is_bool()) {
    fail(ErrorKind::kInvalid, "reading a table's schema: \"{}\" is not true or false", name);
  }
  return value.get_bool();
}

int id_member(const Json& object, std::string_view name) {
  const int64_t id = integer_member(object, name);
  if (id < 0 || id > INT32_MAX) {
    fail(ErrorKind::kInvalid, "reading a table's schema: \"{}\" is {}, which is no field id", name,
         id);
  }
  return static_cast<int>(id);
}

// Rows from before the column would have to be read with it.
void check_no_default(const Json& field, const std::string& name) {
  for (const char* member : {"initial-default", "write-default"}) {
    if (find_member(field, member) == nullptr) continue;
    fail(ErrorKind::kUnsupported,
         "reading a table's schema: column \"{}\" has a \"{}\", and headrace knows no default "
         "values",
         name, member);
  }
}

Type read_type(const Json& json, int depth);

std::vector<Field> read_fields(const Json& json, int depth) {
  const Json& list = member(json, "fields");
  if (!list.is_array()) {
    fail(ErrorKind::kInvalid, "reading a table's schema: \"fields\" is not an array");
  }
  std::vector<Field> fields;
  for (const Json& entry : list.get_array()) {
    Field field;
    field.id = id_member(entry, "id");
    field.name = string_member(entry, "name");
    field.required = boolean_member(entry, "required");
    field.type = read_type(member(entry, "type"), depth + 1);
    field.doc = string_member_or(entry, "doc", "");
    check_no_default(entry, field.name);
    fields.push_back(std::move(field));
  }
  return fields;
}

Type read_type(const Json& json, int depth) {
  if (depth > kMaxTypeNesting) {
    fail(ErrorKind::kUnsupported, "reading a table's schema: types nest deeper than {} levels",
         kMaxTypeNesting);
  }
  if (json.is_string()) return primitive_from_text(json.get_string());
  const std::string kind = string_member(json, "type");
  if (kind == "struct") {
    return {.kind = TypeKind::kStruct, .fields = read_fields(json, depth)};
  }
  if (kind == "list") {
    Field element{id_member(json, "element-id"), "element",
                  read_type(member(json, "element"), depth + 1),
                  boolean_member(json, "element-required"), ""};
    return {.kind = TypeKind::kList, .fields = {std::move(element)}};
  }
  if (kind == "map") {
    Field key{id_member(json, "key-id"), "key", read_type(member(json, "key"), depth + 1), true,
              ""};
    Field value{id_member(json, "value-id"), "value", read_type(member(json, "value"), depth + 1),
                boolean_member(json, "value-required"), ""};
    return {.kind = TypeKind::kMap, .fields = {std::move(key), std::move(value)}};
  }
  fail(ErrorKind::kUnsupported, "reading a table's schema: unknown nested type \"{}\"", kind);
}

}  // namespace

Json to_json(const Type& type) {
  switch (type.kind) {
    case TypeKind::kStruct:
      return JsonObject{{"type", "struct"}, {"fields", fields_json(type.fields)}};
    case TypeKind::kList: {
      const Field& element = type.fields.at(0);
      return JsonObject{{"type", "list"},
                        {"element-id", element.id},
                        {"element-required", element.required},
                        {"element", to_json(element.type)}};
    }
    case TypeKind::kMap: {
      const Field& key = type.fields.at(0);
      const Field& value = type.fields.at(1);
      return JsonObject{{"type", "map"},
                        {"key-id", key.id},
                        {"key", to_json(key.type)},
                        {"value-id", value.id},
                        {"value-required", value.required},
                        {"value", to_json(value.type)}};
    }
    default:
      return Json(primitive_text(type));
  }
}

Json to_json(const Schema& schema) {
  return JsonObject{
      {"type", "struct"}, {"schema-id", schema.schema_id}, {"fields", fields_json(schema.fields)}};
}

Type type_from_json(const Json& json) { return read_type(json, 0); }

Schema schema_from_json(const Json& json) {
  Schema schema;
  schema.schema_id = static_cast<int>(integer_member_or(json, "schema-id", 0));
  schema.fields = read_fields(json, 0);
  return schema;
}

}  // namespace headrace::lake
