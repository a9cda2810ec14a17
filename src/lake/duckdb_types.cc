// Iceberg's types in DuckDB's spelling and back.

#include <algorithm>
#include <charconv>
#include <map>

#include "base/error.h"
#include "engine/database.h"
#include "lake/types.h"

namespace headrace::lake {
namespace {

Type decimal(int precision, int scale) {
  return {.kind = TypeKind::kDecimal, .precision = precision, .scale = scale, .fields = {}};
}

const std::map<std::string, Type, std::less<>>& simple_types() {
  static const std::map<std::string, Type, std::less<>> types = {
      {"BOOLEAN", simple_type(TypeKind::kBoolean)},
      {"BOOL", simple_type(TypeKind::kBoolean)},
      {"TINYINT", simple_type(TypeKind::kInt)},
      {"SMALLINT", simple_type(TypeKind::kInt)},
      {"INTEGER", simple_type(TypeKind::kInt)},
      {"INT", simple_type(TypeKind::kInt)},
      {"UTINYINT", simple_type(TypeKind::kInt)},
      {"USMALLINT", simple_type(TypeKind::kInt)},
      {"UINTEGER", simple_type(TypeKind::kLong)},
      {"BIGINT", simple_type(TypeKind::kLong)},
      {"UBIGINT", decimal(20, 0)},
      {"HUGEINT", decimal(38, 0)},
      {"FLOAT", simple_type(TypeKind::kFloat)},
      {"REAL", simple_type(TypeKind::kFloat)},
      {"DOUBLE", simple_type(TypeKind::kDouble)},
      {"DATE", simple_type(TypeKind::kDate)},
      {"TIME", simple_type(TypeKind::kTime)},
      {"TIMESTAMP", simple_type(TypeKind::kTimestamp)},
      {"TIMESTAMP_S", simple_type(TypeKind::kTimestamp)},
      {"TIMESTAMP_MS", simple_type(TypeKind::kTimestamp)},
      {"TIMESTAMP WITH TIME ZONE", simple_type(TypeKind::kTimestamptz)},
      {"TIMESTAMPTZ", simple_type(TypeKind::kTimestamptz)},
      {"VARCHAR", simple_type(TypeKind::kString)},
      {"TEXT", simple_type(TypeKind::kString)},
      {"STRING", simple_type(TypeKind::kString)},
      {"JSON", simple_type(TypeKind::kString)},
      {"UUID", simple_type(TypeKind::kUuid)},
      {"BLOB", simple_type(TypeKind::kBinary)},
      {"DECIMAL", decimal(18, 3)}};
  return types;
}

std::string_view advice_for(std::string_view name) {
  if (name == "UHUGEINT") return "cast it to DECIMAL(38,0) or VARCHAR";
  if (name == "TIMESTAMP_NS") return "cast it to TIMESTAMP";
  if (name == "TIME WITH TIME ZONE" || name == "TIME_NS") return "cast it to TIME";
  if (name == "INTERVAL") return "cast it to BIGINT (microseconds) or VARCHAR";
  if (name == "BIT") return "cast it to BLOB or VARCHAR";
  if (name == "UNION") return "cast it to STRUCT or VARCHAR";
  if (name == "\"NULL\"" || name == "NULL") return "give it a type, for example NULL::VARCHAR";
  return "cast it to VARCHAR";
}

// Recursive descent over the type as DuckDB prints it.
class TypeParser {
 public:
  explicit TypeParser(std::string_view text) : text_(text), rest_(text) {}

  Type parse() {
    Type type = type_at(0);
    skip_spaces();
    if (!rest_.empty()) malformed();
    return type;
  }

 private:
  Type type_at(int depth) {
    if (depth > kMaxTypeNesting) {
      fail(ErrorKind::kUnsupported, "reading a type: it nests deeper than {} levels",
           kMaxTypeNesting);
    }
    skip_spaces();
    Type type = base_type(depth);
    while (take('[')) {
      while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') rest_.remove_prefix(1);
      expect(']');
      Type list{.kind = TypeKind::kList, .fields = {}};
      list.fields.push_back({0, "element", std::move(type), false, ""});
      type = std::move(list);
    }
    return type;
  }

  Type base_type(int depth) {
    const std::string name = type_name();
    if (name == "STRUCT" && take('(')) return struct_type(depth);
    if (name == "MAP" && take('(')) return map_type(depth);
    if ((name == "DECIMAL" || name == "NUMERIC") && take('(')) return decimal_type();
    if (name == "ENUM" && take('(')) {
      skip_enum_values();
      return simple_type(TypeKind::kString);
    }
    const auto found = simple_types().find(name);
    if (found == simple_types().end()) {
      fail(ErrorKind::kUnsupported, "Iceberg has no type for DuckDB's {}; {}",
           name.empty() ? std::string(text_) : name, advice_for(name));
    }
    return found->second;
  }

  Type struct_type(int depth) {
    Type type{.kind = TypeKind::kStruct, .fields = {}};
    do {
      skip_spaces();
      Field field;
      field.name = field_name();
      field.type = type_at(depth + 1);
      type.fields.push_back(std::move(field));
      skip_spaces();
    } while (take(','));
    expect(')');
    return type;
  }

  Type map_type(int depth) {
    Type type{.kind = TypeKind::kMap, .fields = {}};
    type.fields.push_back({0, "key", type_at(depth + 1), true, ""});
    skip_spaces();
    expect(',');
    type.fields.push_back({0, "value", type_at(depth + 1), false, ""});
    skip_spaces();
    expect(')');
    return type;
  }

  Type decimal_type() {
    const int precision = number();
    int scale = 0;
    skip_spaces();
    if (take(',')) scale = number();
    skip_spaces();
    expect(')');
    if (precision < 1 || precision > 38 || scale > precision) malformed();
    return decimal(precision, scale);
  }

  void skip_enum_values() {
    bool quoted = false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '\'') quoted = !quoted;
      if (c == ')' && !quoted) return;
    }
    malformed();
  }

  // Upper-cased words up to a bracket or comma: "TIMESTAMP WITH TIME ZONE".
  std::string type_name() {
    const size_t end = std::min(rest_.find_first_of("([,)]"), rest_.size());
    std::string name(rest_.substr(0, end));
    rest_.remove_prefix(end);
    while (!name.empty() && name.back() == ' ') name.pop_back();
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return name;
  }

  std::string field_name() {
    std::string name;
    if (take('"')) {
      while (true) {
        const size_t end = rest_.find('"');
        if (end == std::string_view::npos) malformed();
        name += rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        if (!take('"')) return name;
        name += '"';
      }
    }
    const size_t end = rest_.find(' ');
    if (end == std::string_view::npos || end == 0) malformed();
    name = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return name;
  }

  int number() {
    skip_spaces();
    int value = 0;
    const auto [end, code] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (code != std::errc{} || value < 0) malformed();
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return value;
  }

  void skip_spaces() {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) malformed();
  }
  [[noreturn]] void malformed() const {
    fail(ErrorKind::kInvalid, "reading the type \"{}\": it is not as DuckDB spells types", text_);
  }

  std::string_view text_;
  std::string_view rest_;
};

}  // namespace

Type type_from_duckdb(std::string_view duckdb_type) { return TypeParser(duckdb_type).parse(); }

std::string to_duckdb(const Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return "BOOLEAN";
    case TypeKind::kInt:
      return "INTEGER";
    case TypeKind::kLong:
      return "BIGINT";
    case TypeKind::kFloat:
      return "FLOAT";
    case TypeKind::kDouble:
      return "DOUBLE";
    case TypeKind::kDecimal:
      return format("DECIMAL({},{})", type.precision, type.scale);
    case TypeKind::kDate:
      return "DATE";
    case TypeKind::kTime:
      return "TIME";
    case TypeKind::kTimestamp:
      return "TIMESTAMP";
    case TypeKind::kTimestamptz:
      return "TIMESTAMP WITH TIME ZONE";
    case TypeKind::kString:
      return "VARCHAR";
    case TypeKind::kUuid:
      return "UUID";
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return "BLOB";
    case TypeKind::kList:
      return to_duckdb(type.fields.at(0).type) + "[]";
    case TypeKind::kMap:
      return format("MAP({}, {})", to_duckdb(type.fields.at(0).type),
                    to_duckdb(type.fields.at(1).type));
    case TypeKind::kStruct:
      break;
  }
  std::vector<std::string> members;
  for (const Field& field : type.fields) {
    members.push_back(engine::quote_identifier(field.name) + " " + to_duckdb(field.type));
  }
  return format("STRUCT({})", join(members, ", "));
}

}  // namespace headrace::lake
