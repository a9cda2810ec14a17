#include "lake/transform.h"

#include <charconv>

#include "base/error.h"

namespace headrace::lake {
namespace {

struct Name {
  TransformKind kind;
  std::string_view name;
  bool has_argument;
};
constexpr Name kNames[] = {
    {TransformKind::kIdentity, "identity", false}, {TransformKind::kYear, "year", false},
    {TransformKind::kMonth, "month", false},       {TransformKind::kDay, "day", false},
    {TransformKind::kHour, "hour", false},         {TransformKind::kBucket, "bucket", true},
    {TransformKind::kTruncate, "truncate", true},  {TransformKind::kVoid, "void", false}};

const Name* find_name(std::string_view name) {
  for (const Name& entry : kNames) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

int positive_number(std::string_view text, std::string_view whole) {
  int number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{} || end != text.data() + text.size() || number <= 0) {
    fail(ErrorKind::kInvalid, "reading the transform \"{}\": \"{}\" is not a positive whole number",
         whole, text);
  }
  return number;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool accepts(TransformKind transform, TypeKind source) {
  switch (transform) {
    case TransformKind::kVoid:
    case TransformKind::kIdentity:
      return source < TypeKind::kStruct;
    case TransformKind::kYear:
    case TransformKind::kMonth:
    case TransformKind::kDay:
      return source == TypeKind::kDate || source == TypeKind::kTimestamp ||
             source == TypeKind::kTimestamptz;
    case TransformKind::kHour:
      return source == TypeKind::kTimestamp || source == TypeKind::kTimestamptz;
    case TransformKind::kBucket:
      return source < TypeKind::kStruct && source != TypeKind::kBoolean &&
             source != TypeKind::kFloat && source != TypeKind::kDouble;
    case TransformKind::kTruncate:
      return source == TypeKind::kInt || source == TypeKind::kLong ||
             source == TypeKind::kDecimal || source == TypeKind::kString ||
             source == TypeKind::kBinary;
  }
  return false;
}

std::string hash_sql(const std::string& column, TypeKind source) {
  switch (source) {
    case TypeKind::kInt:
    case TypeKind::kLong:
      return format("headrace_murmur3_long({}::BIGINT)", column);
    case TypeKind::kDate:
      return format("headrace_murmur3_long(({} - DATE '1970-01-01')::BIGINT)", column);
    case TypeKind::kTime:
      return format("headrace_murmur3_long(epoch_us({}))", column);
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz:
      return format("headrace_murmur3_long(epoch_us({}))", column);
    case TypeKind::kDecimal:
      return format("headrace_murmur3_decimal({}::VARCHAR)", column);
    case TypeKind::kUuid:
      return format("headrace_murmur3_uuid({}::VARCHAR)", column);
    case TypeKind::kString:
      return format("headrace_murmur3_string({})", column);
    default:
      return format("headrace_murmur3_binary({})", column);
  }
}

// Rounds down, also below zero: v - (((v % w) + w) % w).
std::string truncate_number_sql(const std::string& column, int width, const Type& source) {
  if (source.kind == TypeKind::kDecimal) {
    // The width counts units of the last decimal place.
    const std::string unit =
        format("CAST('{}e-{}' AS DECIMAL(38,{}))", width, source.scale, source.scale);
    return format("CAST({0} - ((({0} % {1}) + {1}) % {1}) AS {2})", column, unit,
                  to_duckdb(source));
  }
  return format("CAST({0}::HUGEINT - ((({0}::HUGEINT % {1}) + {1}) % {1}) AS {2})", column, width,
                to_duckdb(source));
}

std::string truncate_sql(const std::string& column, int width, const Type& source) {
  if (source.kind == TypeKind::kString) return format("left({}, {})", column, width);
  if (source.kind == TypeKind::kBinary) {
    return format("unhex(left(hex({}), {}))", column, 2 * static_cast<int64_t>(width));
  }
  return truncate_number_sql(column, width, source);
}

}  // namespace

std::string to_text(const Transform& transform) {
  for (const Name& entry : kNames) {
    if (entry.kind != transform.kind) continue;
    if (!entry.has_argument) return std::string(entry.name);
    return format("{}[{}]", entry.name, transform.argument);
  }
  fail(ErrorKind::kInternal, "spelling a transform: it has no name");
}

Transform transform_from_text(const std::string& text) {
  const size_t bracket = text.find('[');
  const Name* entry = find_name(std::string_view(text).substr(0, bracket));
  const bool has_argument = bracket != std::string::npos && text.back() == ']';
  if (entry == nullptr || entry->has_argument != has_argument) {
    fail(ErrorKind::kUnsupported,
         "reading a partition spec: transform \"{}\" is not one of Iceberg format version 2", text);
  }
  if (!has_argument) return {entry->kind, 0};
  const auto argument = std::string_view(text).substr(bracket + 1, text.size() - bracket - 2);
  return {entry->kind, positive_number(argument, text)};
}

Type result_type(const Transform& transform, const Type& source) {
  if (!accepts(transform.kind, source.kind)) {
    fail(ErrorKind::kInvalid, "partitioning: {} cannot be applied to a column of type {}",
         to_text(transform), to_duckdb(source));
  }
  switch (transform.kind) {
    case TransformKind::kIdentity:
    case TransformKind::kTruncate:
    case TransformKind::kVoid:
      return source;
    case TransformKind::kDay:
      return simple_type(TypeKind::kDate);
    default:
      return simple_type(TypeKind::kInt);
  }
}

std::string transform_sql(const Transform& transform, const std::string& column,
                          const Type& source) {
  // Calendar fields are those of UTC, whatever the session's time zone.
  const std::string calendar =
      source.kind == TypeKind::kTimestamptz ? format("timezone('UTC', {})", column) : column;
  switch (transform.kind) {
    case TransformKind::kIdentity:
      return column;
    case TransformKind::kYear:
      return format("CAST(year({}) - 1970 AS INTEGER)", calendar);
    case TransformKind::kMonth:
      return format("CAST((year({0}) - 1970) * 12 + month({0}) - 1 AS INTEGER)", calendar);
    case TransformKind::kDay:
      return format("CAST({} AS DATE)", calendar);
    case TransformKind::kHour:
      // Rounds down before 1970, too.
      return format(
          "CAST((epoch_us({0}) - (((epoch_us({0}) % {1}) + {1}) % {1})) // {1} AS INTEGER)", column,
          "3600000000::BIGINT");
    case TransformKind::kBucket:
      return format("CAST(({} & 2147483647) % {} AS INTEGER)", hash_sql(column, source.kind),
                    transform.argument);
    case TransformKind::kTruncate:
      return truncate_sql(column, transform.argument, source);
    case TransformKind::kVoid:
      return format("CAST(NULL AS {})", to_duckdb(source));
  }
  fail(ErrorKind::kInternal, "computing a transform: unknown kind");
}

PartitionField parse_partition_field(const std::string& text, const Schema& schema, int field_id) {
  PartitionField field;
  field.field_id = field_id;
  std::string column(trimmed(text));
  const size_t open = column.find('(');
  if (schema.find(column) == nullptr && open != std::string::npos && column.back() == ')') {
    const std::string name(trimmed(std::string_view(column).substr(0, open)));
    std::string_view inside = std::string_view(column).substr(open + 1);
    inside.remove_suffix(1);
    const Name* entry = find_name(name);
    if (entry == nullptr) {
      fail(ErrorKind::kInvalid,
           "partitioning by \"{}\": {} is no transform; use a column, year, month, day or hour "
           "of one, bucket(n, column) or truncate(width, column)",
           text, name);
    }
    field.transform.kind = entry->kind;
    if (entry->has_argument) {
      const size_t comma = inside.find(',');
      if (comma == std::string_view::npos) {
        fail(ErrorKind::kInvalid, "partitioning by \"{}\": write {}(number, column)", text, name);
      }
      field.transform.argument = positive_number(trimmed(inside.substr(0, comma)), text);
      inside.remove_prefix(comma + 1);
    }
    column = trimmed(inside);
  }
  const Field* source = schema.find(column);
  if (source == nullptr) {
    fail(ErrorKind::kInvalid, "partitioning by \"{}\": there is no column \"{}\"", text, column);
  }
  field.source_id = source->id;
  field.name =
      field.transform.kind == TransformKind::kIdentity
          ? column
          : format("{}_{}", column,
                   find_name(to_text(field.transform).substr(0, to_text(field.transform).find('[')))
                       ->name);
  result_type(field.transform, source->type);
  return field;
}

}  // namespace headrace::lake
