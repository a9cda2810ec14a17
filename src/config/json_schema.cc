// JSON Schema, draft 2020-12, of declared fields, for editors that complete and check YAML.

#include "base/format.h"
#include "config/field.h"

namespace headrace::config {

namespace {

JsonObject schema_of(const ValueType& type);

// A value may also be a variable, whatever its type.
constexpr std::string_view kVariable = R"(\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\})";

JsonObject or_variable(JsonObject schema) {
  return {
      {"anyOf", JsonArray{std::move(schema),
                          JsonObject{{"type", "string"}, {"pattern", format("^{}$", kVariable)}}}}};
}

JsonObject text_pattern(std::string_view pattern) {
  return {{"type", JsonArray{"string", "integer"}},
          {"pattern", format("^({}|{})$", pattern, kVariable)}};
}

JsonObject choice_schema(const ValueType& type) {
  JsonArray names;
  for (const ChoiceName& choice : type.choices) names.push_back(Json(choice.name));
  return {{"enum", std::move(names)}};
}

JsonObject schema_of(const ValueType& type) {
  switch (type.kind) {
    case ValueKind::kBoolean:
      return or_variable({{"type", "boolean"}});
    case ValueKind::kInteger:
      return {{"type", "integer"}};
    case ValueKind::kNumber:
      return {{"type", "number"}};
    case ValueKind::kText:
    case ValueKind::kSecret:
      return {{"type", JsonArray{"string", "number", "boolean"}}};
    case ValueKind::kChoice:
      return choice_schema(type);
    case ValueKind::kDuration:
      return text_pattern(R"([0-9.]+ *(ms|s|m|h|d)|0)");
    case ValueKind::kBytes:
      return text_pattern(R"(-?[0-9][0-9_.]* *(B|[kK]B|[MGT]B|[KMGT]iB)?)");
    case ValueKind::kList:
      return {{"type", "array"}, {"items", schema_of(*type.element)}};
    case ValueKind::kMap:
      return {{"type", "object"}, {"additionalProperties", schema_of(*type.element)}};
    case ValueKind::kStruct:
      return json_schema_object(*type.fields).get_object();
    case ValueKind::kAny:
      break;
  }
  return {};
}

void add_not_empty(const ValueType& type, JsonObject& schema) {
  if (type.kind == ValueKind::kList) schema["minItems"] = 1;
  if (type.kind == ValueKind::kMap) schema["minProperties"] = 1;
  if (type.kind == ValueKind::kText) schema["minLength"] = 1;
}

JsonObject field_schema(const Field& field) {
  JsonObject schema = schema_of(field.type);
  std::string description = field.help;
  if (!field.unit.empty()) description += " (" + field.unit + ")";
  if (!field.minimum.is_null() && field.minimum.is_number()) schema["minimum"] = field.minimum;
  if (!field.maximum.is_null() && field.maximum.is_number()) schema["maximum"] = field.maximum;
  if (field.type.kind == ValueKind::kInteger || field.type.kind == ValueKind::kNumber) {
    schema = or_variable(std::move(schema));
  }
  if (field.not_empty) add_not_empty(field.type, schema);
  const bool has_default = !field.default_value.is_null() && field.default_value != Json("");
  if (has_default) schema["default"] = field.default_value;
  if (!field.example.empty()) schema["examples"] = JsonArray{Json(field.example)};
  schema["description"] = description;
  return schema;
}

JsonArray required_each(const std::vector<std::string>& names) {
  JsonArray list;
  for (const std::string& name : names) {
    list.push_back(JsonObject{{"required", JsonArray{Json(name)}}});
  }
  return list;
}

JsonArray all_of(const std::vector<std::string>& names) {
  JsonArray list;
  for (const std::string& name : names) list.push_back(Json(name));
  return list;
}

JsonObject group_schema(const FieldGroup& group) {
  const JsonObject none{{"not", JsonObject{{"anyOf", required_each(group.names)}}}};
  switch (group.rule) {
    case FieldGroup::Rule::kExactlyOne:
      return {{"oneOf", required_each(group.names)}};
    case FieldGroup::Rule::kAtLeastOne:
      return {{"anyOf", required_each(group.names)}};
    case FieldGroup::Rule::kAtMostOne: {
      JsonArray either = required_each(group.names);
      either.push_back(none);
      return {{"oneOf", std::move(either)}};
    }
    case FieldGroup::Rule::kAllOrNone:
      return {{"oneOf", JsonArray{JsonObject{{"required", all_of(group.names)}}, none}}};
  }
  return {};
}

}  // namespace

Json json_schema_object(const FieldList& fields) {
  JsonObject properties;
  JsonArray required;
  for (const Field& field : fields.fields) {
    properties[field.name] = field_schema(field);
    if (field.required) required.push_back(Json(field.name));
  }
  for (const std::string& name : fields.read_elsewhere) properties[name] = true;
  JsonObject schema{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  if (!fields.other_fields_allowed) schema["additionalProperties"] = false;
  if (!fields.groups.empty()) {
    JsonArray groups;
    for (const FieldGroup& group : fields.groups) groups.push_back(group_schema(group));
    schema["allOf"] = std::move(groups);
  }
  return schema;
}

Json json_schema(const FieldList& fields, const std::string& title) {
  JsonObject schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", title}};
  const Json object = json_schema_object(fields);
  for (const auto& entry : object.get_object()) schema[entry.key()] = entry.value();
  return schema;
}

}  // namespace headrace::config
