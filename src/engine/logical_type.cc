#include "engine/logical_type.h"

#include <array>
#include <string_view>

#include "base/error.h"
#include "engine/database.h"

namespace headrace::engine {
namespace {

struct SimpleType {
  std::string_view name;
  duckdb_type id;
};

// The first name of a type is the one it is called by; aliases follow.
constexpr auto kSimpleTypes = std::to_array<SimpleType>({
    {"BOOLEAN", DUCKDB_TYPE_BOOLEAN},
    {"TINYINT", DUCKDB_TYPE_TINYINT},
    {"SMALLINT", DUCKDB_TYPE_SMALLINT},
    {"INTEGER", DUCKDB_TYPE_INTEGER},
    {"BIGINT", DUCKDB_TYPE_BIGINT},
    {"UTINYINT", DUCKDB_TYPE_UTINYINT},
    {"USMALLINT", DUCKDB_TYPE_USMALLINT},
    {"UINTEGER", DUCKDB_TYPE_UINTEGER},
    {"UBIGINT", DUCKDB_TYPE_UBIGINT},
    {"FLOAT", DUCKDB_TYPE_FLOAT},
    {"DOUBLE", DUCKDB_TYPE_DOUBLE},
    {"TIMESTAMP", DUCKDB_TYPE_TIMESTAMP},
    {"DATE", DUCKDB_TYPE_DATE},
    {"TIME", DUCKDB_TYPE_TIME},
    {"INTERVAL", DUCKDB_TYPE_INTERVAL},
    {"HUGEINT", DUCKDB_TYPE_HUGEINT},
    {"UHUGEINT", DUCKDB_TYPE_UHUGEINT},
    {"VARCHAR", DUCKDB_TYPE_VARCHAR},
    {"BLOB", DUCKDB_TYPE_BLOB},
    {"TIMESTAMP_S", DUCKDB_TYPE_TIMESTAMP_S},
    {"TIMESTAMP_MS", DUCKDB_TYPE_TIMESTAMP_MS},
    {"TIMESTAMP_NS", DUCKDB_TYPE_TIMESTAMP_NS},
    {"UUID", DUCKDB_TYPE_UUID},
    {"BIT", DUCKDB_TYPE_BIT},
    {"TIME WITH TIME ZONE", DUCKDB_TYPE_TIME_TZ},
    {"TIMESTAMP WITH TIME ZONE", DUCKDB_TYPE_TIMESTAMP_TZ},
    {"\"NULL\"", DUCKDB_TYPE_SQLNULL},
    {"BIGNUM", DUCKDB_TYPE_BIGNUM},
    {"VARIANT", DUCKDB_TYPE_VARIANT},
    {"GEOMETRY", DUCKDB_TYPE_GEOMETRY},
    {"TIMESTAMPTZ", DUCKDB_TYPE_TIMESTAMP_TZ},
    {"ANY", DUCKDB_TYPE_ANY},
});

std::string child_name(duckdb_logical_type child) {
  const LogicalType owner(child);
  return name_of(child);
}

std::string members_of(duckdb_logical_type type, duckdb_type id) {
  const bool is_struct = id == DUCKDB_TYPE_STRUCT;
  const idx_t count =
      is_struct ? duckdb_struct_type_child_count(type) : duckdb_union_type_member_count(type);
  std::string text = is_struct ? "STRUCT(" : "UNION(";
  for (idx_t i = 0; i < count; ++i) {
    char* name =
        is_struct ? duckdb_struct_type_child_name(type, i) : duckdb_union_type_member_name(type, i);
    duckdb_logical_type child =
        is_struct ? duckdb_struct_type_child_type(type, i) : duckdb_union_type_member_type(type, i);
    if (i > 0) text += ", ";
    text += quote_identifier(name) + " " + child_name(child);
    duckdb_free(name);
  }
  return text + ")";
}

}  // namespace

std::string name_of(duckdb_logical_type type) {
  const duckdb_type id = duckdb_get_type_id(type);
  switch (id) {
    case DUCKDB_TYPE_DECIMAL:
      return format("DECIMAL({},{})", duckdb_decimal_width(type), duckdb_decimal_scale(type));
    case DUCKDB_TYPE_LIST:
      return child_name(duckdb_list_type_child_type(type)) + "[]";
    case DUCKDB_TYPE_ARRAY:
      return format("{}[{}]", child_name(duckdb_array_type_child_type(type)),
                    duckdb_array_type_array_size(type));
    case DUCKDB_TYPE_MAP:
      return format("MAP({}, {})", child_name(duckdb_map_type_key_type(type)),
                    child_name(duckdb_map_type_value_type(type)));
    case DUCKDB_TYPE_STRUCT:
    case DUCKDB_TYPE_UNION:
      return members_of(type, id);
    case DUCKDB_TYPE_INVALID:  // of a parameter before it has a value
      return "UNKNOWN";
    case DUCKDB_TYPE_ENUM:
      return "VARCHAR";
    case DUCKDB_TYPE_VARCHAR: {
      char* alias = duckdb_logical_type_get_alias(type);
      const std::string name = alias == nullptr ? "VARCHAR" : alias;
      duckdb_free(alias);
      return name;
    }
    default:
      break;
  }
  for (const SimpleType& simple : kSimpleTypes) {
    if (simple.id == id) return std::string(simple.name);
  }
  fail(ErrorKind::kInternal, "the engine returned a column of unknown type {}",
       static_cast<int>(id));
}

LogicalType logical_type(duckdb_connection connection, const std::string& name) {
  for (const SimpleType& simple : kSimpleTypes) {
    if (simple.name == name) return LogicalType(duckdb_create_logical_type(simple.id));
  }
  duckdb_result result{};
  const std::string sql = "SELECT NULL::" + name;
  const bool failed = duckdb_query(connection, sql.c_str(), &result) == DuckDBError;
  const std::string reason = failed ? duckdb_result_error(&result) : "";
  LogicalType type(failed ? nullptr : duckdb_column_logical_type(&result, 0));
  duckdb_destroy_result(&result);
  if (failed) fail(ErrorKind::kInvalid, "'{}' is not a type: {}", name, reason);
  return type;
}

}  // namespace headrace::engine
