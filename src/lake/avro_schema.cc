#include "lake/avro_schema.h"

#include <algorithm>
#include <map>

#include "base/error.h"

namespace headrace::lake {
namespace {

constexpr int kMaxAvroNesting = 32;
constexpr size_t kMaxFixedSize = 1 << 20;
constexpr size_t kMaxWidth = 10'000;

using NamedSchemas = std::map<std::string, AvroSchemaPtr, std::less<>>;

const std::map<std::string, AvroKind, std::less<>>& primitives() {
  static const std::map<std::string, AvroKind, std::less<>> kinds = {
      {"null", AvroKind::kNull},   {"boolean", AvroKind::kBoolean}, {"int", AvroKind::kInt},
      {"long", AvroKind::kLong},   {"float", AvroKind::kFloat},     {"double", AvroKind::kDouble},
      {"bytes", AvroKind::kBytes}, {"string", AvroKind::kString}};
  return kinds;
}

// Named types are used more than once, so a short text can describe a deep and wide schema.
void enclose(AvroSchema& outer, const AvroSchema& inner) {
  outer.depth = std::max(outer.depth, inner.depth + 1);
  outer.width += inner.width;
  if (outer.depth > kMaxAvroNesting || outer.width > kMaxWidth) {
    fail(ErrorKind::kUnsupported, "reading an Avro schema: more than {} levels or {} values",
         kMaxAvroNesting, kMaxWidth);
  }
}

class SchemaParser {
 public:
  AvroSchemaPtr parse(const Json& json, int depth) {
    if (depth > kMaxAvroNesting) {
      fail(ErrorKind::kUnsupported, "reading an Avro schema: it nests deeper than {} levels",
           kMaxAvroNesting);
    }
    if (json.is_string()) return named(json.get_string());
    if (json.is_array()) return union_of(json.get_array(), depth);
    const Json& type = member(json, "type");
    if (!type.is_string()) return parse(type, depth + 1);
    return object_of(json, std::string(type.get_string()), depth);
  }

 private:
  AvroSchemaPtr named(std::string_view name) const {
    if (const auto found = primitives().find(name); found != primitives().end()) {
      return std::make_shared<AvroSchema>(AvroSchema{.kind = found->second});
    }
    const auto found = named_.find(name);
    if (found == named_.end()) {
      fail(ErrorKind::kCorrupt, "reading an Avro schema: type \"{}\" is not defined", name);
    }
    return found->second;
  }

  AvroSchemaPtr union_of(const JsonArray& branches, int depth) {
    auto schema = std::make_shared<AvroSchema>(AvroSchema{.kind = AvroKind::kUnion});
    for (const Json& branch : branches) {
      schema->branches.push_back(parse(branch, depth + 1));
      enclose(*schema, *schema->branches.back());
    }
    return schema;
  }

  AvroSchemaPtr object_of(const Json& json, const std::string& type, int depth) {
    if (type == "record") return record_of(json, depth);
    auto schema = std::make_shared<AvroSchema>();
    if (type == "array" || type == "map") {
      schema->kind = type == "array" ? AvroKind::kArray : AvroKind::kMap;
      schema->items = parse(member(json, type == "array" ? "items" : "values"), depth + 1);
      enclose(*schema, *schema->items);
      return schema;
    }
    if (type == "fixed") {
      schema->kind = AvroKind::kFixed;
      const int64_t size = integer_member(json, "size");
      if (size < 0 || static_cast<size_t>(size) > kMaxFixedSize) {
        fail(ErrorKind::kCorrupt, "reading an Avro schema: fixed of {} bytes", size);
      }
      schema->fixed_size = static_cast<size_t>(size);
      return remember(json, std::move(schema));
    }
    if (type == "enum") {
      schema->kind = AvroKind::kEnum;
      const Json& symbols = member(json, "symbols");
      if (!symbols.is_array()) {
        fail(ErrorKind::kCorrupt, "reading an Avro schema: \"symbols\" is not an array");
      }
      for (const Json& symbol : symbols.get_array()) {
        if (!symbol.is_string()) fail(ErrorKind::kCorrupt, "reading an Avro schema: enum symbol");
        schema->symbols.emplace_back(symbol.get_string());
      }
      return remember(json, std::move(schema));
    }
    return named(type);
  }

  AvroSchemaPtr record_of(const Json& json, int depth) {
    auto schema = std::make_shared<AvroSchema>(AvroSchema{.kind = AvroKind::kRecord});
    const Json& fields = member(json, "fields");
    if (!fields.is_array()) {
      fail(ErrorKind::kCorrupt, "reading an Avro schema: \"fields\" is not an array");
    }
    for (const Json& entry : fields.get_array()) {
      AvroField field;
      field.name = string_member(entry, "name");
      field.field_id = static_cast<int>(integer_member_or(entry, "field-id", -1));
      field.schema = parse(member(entry, "type"), depth + 1);
      enclose(*schema, *field.schema);
      schema->fields.push_back(std::move(field));
    }
    return remember(json, std::move(schema));
  }

  // A record is known by its name only after its end: one that holds itself is not defined.
  AvroSchemaPtr remember(const Json& json, std::shared_ptr<AvroSchema> schema) {
    named_[string_member_or(json, "name", "")] = schema;
    return schema;
  }

  NamedSchemas named_;
};

}  // namespace

int AvroSchema::field_index(int field_id) const {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].field_id == field_id) return static_cast<int>(i);
  }
  return -1;
}

AvroSchemaPtr parse_avro_schema(const Json& json) {
  try {
    return SchemaParser().parse(json, 0);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid) throw;
    throw Error(ErrorKind::kCorrupt, error.message()).with_context("reading an Avro schema");
  }
}

}  // namespace headrace::lake
