#pragma once

// Avro schemas with Iceberg's attributes: the field-id of a record's field, by which readers find
// it whatever it is called. Immutable after parsing; any thread.

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"

namespace headrace::lake {

enum class AvroKind {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kFixed,
  kEnum,
  kRecord,
  kArray,
  kMap,
  kUnion
};

struct AvroSchema;
using AvroSchemaPtr = std::shared_ptr<const AvroSchema>;

struct AvroField {
  std::string name;
  int field_id = -1;  // −1: has none
  AvroSchemaPtr schema;
};

struct AvroSchema {
  AvroKind kind = AvroKind::kNull;
  size_t fixed_size = 0;
  std::vector<AvroField> fields = {};        // record
  std::vector<AvroSchemaPtr> branches = {};  // union
  AvroSchemaPtr items = nullptr;             // array and map
  std::vector<std::string> symbols = {};     // enum
  int depth = 1;                             // levels of nesting
  size_t width = 1;  // values in one record, with nested records counted out
  // Index in `fields`, −1 when there is none of this id.
  int field_index(int field_id) const;
};

// Throws Error corrupt for what is no Avro schema, unsupported for one that refers to itself or
// nests too deep.
AvroSchemaPtr parse_avro_schema(const Json& json);

}  // namespace headrace::lake
