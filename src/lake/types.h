#pragma once

// Iceberg's types, schemas and partition specs (format v2, "Schemas and Data Types",
// "Partitioning").

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace headrace::lake {

enum class TypeKind {
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kDecimal,
  kDate,
  kTime,
  kTimestamp,
  kTimestamptz,
  kString,
  kUuid,
  kFixed,
  kBinary,
  kStruct,
  kList,
  kMap
};

// Deeper types are refused: what reads them recurses.
inline constexpr int kMaxTypeNesting = 64;

struct Field;

struct Type {
  TypeKind kind = TypeKind::kString;
  int precision = 0;          // decimal
  int scale = 0;              // decimal
  int length = 0;             // fixed
  std::vector<Field> fields;  // struct: its fields; list: the element; map: key and value

  bool is_nested() const { return kind >= TypeKind::kStruct; }
};

struct Field {
  int id = 0;
  std::string name;
  Type type;
  bool required = false;
  std::string doc;
};

// Of a kind that has neither members nor numbers.
inline Type simple_type(TypeKind kind) { return {.kind = kind, .fields = {}}; }

struct Schema {
  int schema_id = 0;
  std::vector<Field> fields;
  // Members that another engine wrote and headrace does not use ("identifier-field-ids", …); kept.
  JsonObject unknown = {};
  const Field* find(std::string_view name) const;  // top level, exact name
  const Field* find_id(int id) const;              // at any depth
  int highest_field_id() const;
};

// Numbers the fields that have no id yet, from last_id + 1 on: a whole level before what is nested.
void assign_ids(std::vector<Field>& fields, int& last_id);

enum class TransformKind { kIdentity, kYear, kMonth, kDay, kHour, kBucket, kTruncate, kVoid };

struct Transform {
  TransformKind kind = TransformKind::kIdentity;
  int argument = 0;  // buckets of bucket, width of truncate
};

struct PartitionField {
  int source_id = 0;
  int field_id = 0;
  std::string name;
  Transform transform;
};

struct PartitionSpec {
  int spec_id = 0;
  std::vector<PartitionField> fields;
};

// Iceberg JSON, both ways; the readers throw Error invalid or unsupported.
Json to_json(const Type& type);
Json to_json(const Schema& schema);
Json to_json(const PartitionSpec& spec);
Type type_from_json(const Json& json);
Schema schema_from_json(const Json& json);
PartitionSpec partition_spec_from_json(const Json& json);

// "day(ts)", "country", "bucket(16, user_id)", "truncate(10, name)" against a schema, as users
// write it.
PartitionField parse_partition_field(const std::string& text, const Schema& schema, int field_id);
using headrace::to_text;                          // of JSON
std::string to_text(const Transform& transform);  // as the format spells it: day, bucket[16], …

// DuckDB's name of a type (BIGINT, TIMESTAMP WITH TIME ZONE, STRUCT(a INTEGER), …) and back. A type
// that Iceberg lacks is mapped to the smallest that holds all its values (UTINYINT → int, HUGEINT →
// decimal(38,0)), else Error unsupported naming it and what to cast it to.
std::string to_duckdb(const Type& type);
Type type_from_duckdb(std::string_view duckdb_type);

// A schema from column names and DuckDB types, with field ids from 1 in Iceberg's order
// (a level's fields first, then what is nested in them).
Schema make_schema(const std::vector<std::pair<std::string, std::string>>& names_and_duckdb_types);

}  // namespace headrace::lake
