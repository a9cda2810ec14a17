#include "jobs/parse/column_writer.h"

#include <limits>

#include "base/format.h"
#include "jobs/parse/text_value.h"

namespace headrace::jobs::parse {
namespace {

template <class Stored, class Parsed>
bool store(const std::optional<Parsed>& parsed, engine::MutableVector& vector, size_t row) {
  if (!parsed) return false;
  vector.data<Stored>()[row] = static_cast<Stored>(*parsed);
  return true;
}

bool write_decimal(const lake::Type& type, std::string_view text, engine::MutableVector& vector,
                   size_t row) {
  const auto value = parse_decimal(text, type.precision, type.scale);
  if (!value) return false;
  const auto low = static_cast<int64_t>(value->low);
  if (type.precision <= 4) {
    vector.data<int16_t>()[row] = static_cast<int16_t>(low);
  } else if (type.precision <= 9) {
    vector.data<int32_t>()[row] = static_cast<int32_t>(low);
  } else if (type.precision <= 18) {
    vector.data<int64_t>()[row] = low;
  } else {
    vector.data<engine::Int128>()[row] = *value;
  }
  return true;
}

}  // namespace

bool write_text_value(const lake::Type& type, std::string_view text, engine::MutableVector& vector,
                      size_t row) {
  switch (type.kind) {
    case lake::TypeKind::kBoolean:
      return store<bool>(parse_boolean(text), vector, row);
    case lake::TypeKind::kInt: {
      const auto value = parse_integer(text);
      if (!value || *value < std::numeric_limits<int32_t>::min() ||
          *value > std::numeric_limits<int32_t>::max()) {
        return false;
      }
      return store<int32_t>(value, vector, row);
    }
    case lake::TypeKind::kLong:
      return store<int64_t>(parse_integer(text), vector, row);
    case lake::TypeKind::kFloat:
      return store<float>(parse_double(text), vector, row);
    case lake::TypeKind::kDouble:
      return store<double>(parse_double(text), vector, row);
    case lake::TypeKind::kDecimal:
      return write_decimal(type, text, vector, row);
    case lake::TypeKind::kDate:
      return store<int32_t>(parse_date(text), vector, row);
    case lake::TypeKind::kTime:
      return store<int64_t>(parse_time(text), vector, row);
    case lake::TypeKind::kTimestamp:
    case lake::TypeKind::kTimestamptz:
      return store<int64_t>(parse_timestamp(text), vector, row);
    case lake::TypeKind::kUuid:
      return store<engine::Int128>(parse_uuid(text), vector, row);
    case lake::TypeKind::kString:
      vector.set_string(row, text);
      return true;
    default:
      return false;
  }
}

std::string complain_about_type(const lake::Type& type) {
  switch (type.kind) {
    case lake::TypeKind::kFixed:
    case lake::TypeKind::kBinary:
    case lake::TypeKind::kMap:
      return format(
          "a parse node cannot give the type {}: take VARCHAR and convert it in a derive node",
          lake::to_duckdb(type));
    default:
      break;
  }
  for (const lake::Field& field : type.fields) {
    std::string complaint = complain_about_type(field.type);
    if (!complaint.empty()) return complaint;
  }
  return "";
}

}  // namespace headrace::jobs::parse
