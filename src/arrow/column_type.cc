#include "arrow/column_type.h"

#include <charconv>
#include <string_view>

#include "base/error.h"

namespace headrace::arrow {
namespace {

struct SimpleFormat {
  std::string_view format;
  TypeId id;
  Layout layout;
  int64_t width;
  int32_t parameter;
  int32_t parameter2;
};

// Units: seconds 0, milliseconds 1, microseconds 2, nanoseconds 3. Dates: days 0, milliseconds 1.
// Intervals: months 0, days and milliseconds 1, months, days and nanoseconds 2.
constexpr SimpleFormat kSimple[] = {
    {"n", TypeId::kNull, Layout::kNull, 0, 0, 0},
    {"b", TypeId::kBool, Layout::kBits, 0, 0, 0},
    {"c", TypeId::kInt, Layout::kFixed, 1, 8, 1},
    {"C", TypeId::kInt, Layout::kFixed, 1, 8, 0},
    {"s", TypeId::kInt, Layout::kFixed, 2, 16, 1},
    {"S", TypeId::kInt, Layout::kFixed, 2, 16, 0},
    {"i", TypeId::kInt, Layout::kFixed, 4, 32, 1},
    {"I", TypeId::kInt, Layout::kFixed, 4, 32, 0},
    {"l", TypeId::kInt, Layout::kFixed, 8, 64, 1},
    {"L", TypeId::kInt, Layout::kFixed, 8, 64, 0},
    {"e", TypeId::kFloatingPoint, Layout::kFixed, 2, 0, 0},
    {"f", TypeId::kFloatingPoint, Layout::kFixed, 4, 1, 0},
    {"g", TypeId::kFloatingPoint, Layout::kFixed, 8, 2, 0},
    {"z", TypeId::kBinary, Layout::kVariable, 0, 0, 0},
    {"Z", TypeId::kLargeBinary, Layout::kVariable64, 0, 0, 0},
    {"u", TypeId::kUtf8, Layout::kVariable, 0, 0, 0},
    {"U", TypeId::kLargeUtf8, Layout::kVariable64, 0, 0, 0},
    {"tdD", TypeId::kDate, Layout::kFixed, 4, 0, 0},
    {"tdm", TypeId::kDate, Layout::kFixed, 8, 1, 0},
    {"tts", TypeId::kTime, Layout::kFixed, 4, 0, 32},
    {"ttm", TypeId::kTime, Layout::kFixed, 4, 1, 32},
    {"ttu", TypeId::kTime, Layout::kFixed, 8, 2, 64},
    {"ttn", TypeId::kTime, Layout::kFixed, 8, 3, 64},
    {"tDs", TypeId::kDuration, Layout::kFixed, 8, 0, 0},
    {"tDm", TypeId::kDuration, Layout::kFixed, 8, 1, 0},
    {"tDu", TypeId::kDuration, Layout::kFixed, 8, 2, 0},
    {"tDn", TypeId::kDuration, Layout::kFixed, 8, 3, 0},
    {"tiM", TypeId::kInterval, Layout::kFixed, 4, 0, 0},
    {"tiD", TypeId::kInterval, Layout::kFixed, 8, 1, 0},
    {"tin", TypeId::kInterval, Layout::kFixed, 16, 2, 0},
    {"+l", TypeId::kList, Layout::kList, 0, 0, 0},
    {"+L", TypeId::kLargeList, Layout::kList64, 0, 0, 0},
    {"+s", TypeId::kStruct, Layout::kStruct, 0, 0, 0},
    {"+m", TypeId::kMap, Layout::kList, 0, 0, 0},
};

[[noreturn]] void refuse(const ColumnType& column, std::string_view format) {
  fail(ErrorKind::kUnsupported,
       "writing column '{}' as Arrow: its type '{}' is not supported; cast it to another type",
       column.name, format);
}

bool apply_simple(ColumnType& column, std::string_view format) {
  for (const SimpleFormat& simple : kSimple) {
    if (simple.format != format) continue;
    column.id = simple.id;
    column.layout = simple.layout;
    column.width = simple.width;
    column.parameter = simple.parameter;
    column.parameter2 = simple.parameter2;
    return true;
  }
  return false;
}

// "tsu:Europe/Berlin"; no time zone: "tsu:".
bool apply_timestamp(ColumnType& column, std::string_view format) {
  if (format.size() < 4 || !format.starts_with("ts") || format[3] != ':') return false;
  const size_t unit = std::string_view("smun").find(format[2]);
  if (unit == std::string_view::npos) return false;
  column.id = TypeId::kTimestamp;
  column.layout = Layout::kFixed;
  column.width = 8;
  column.parameter = static_cast<int32_t>(unit);
  column.timezone = format.substr(4);
  return true;
}

// The numbers of "d:19,10" after its colon.
std::vector<int32_t> numbers_after(std::string_view format, std::string_view prefix) {
  std::vector<int32_t> numbers;
  std::string_view rest = format.substr(prefix.size());
  while (!rest.empty()) {
    int32_t number = 0;
    const auto [end, problem] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (problem != std::errc() || number < 0) return {};
    numbers.push_back(number);
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    if (rest.starts_with(',')) rest.remove_prefix(1);
  }
  return numbers;
}

bool apply_sized(ColumnType& column, std::string_view format) {
  if (format.starts_with("d:")) {
    const auto numbers = numbers_after(format, "d:");
    const bool is_wide = numbers.size() == 3 && numbers[2] == 128;
    if (numbers.size() != 2 && !is_wide) return false;
    column.id = TypeId::kDecimal;
    column.layout = Layout::kFixed;
    column.width = 16;
    column.parameter = numbers[0];
    column.parameter2 = numbers[1];
    return true;
  }
  const bool is_list = format.starts_with("+w:");
  if (!is_list && !format.starts_with("w:")) return false;
  const auto numbers = numbers_after(format, is_list ? "+w:" : "w:");
  if (numbers.size() != 1) return false;
  column.id = is_list ? TypeId::kFixedSizeList : TypeId::kFixedSizeBinary;
  column.layout = is_list ? Layout::kFixedList : Layout::kFixed;
  column.width = numbers[0];
  return true;
}

FlatBuilder::Reference add_type(FlatBuilder& builder, const ColumnType& column) {
  const auto timezone =
      column.timezone.empty() ? FlatBuilder::Reference{0} : builder.add_string(column.timezone);
  builder.begin_table();
  switch (column.id) {
    case TypeId::kInt:
      builder.set<int32_t>(0, column.parameter);
      builder.set<uint8_t>(1, column.parameter2 != 0);
      break;
    case TypeId::kDecimal:
      builder.set<int32_t>(0, column.parameter);
      builder.set<int32_t>(1, column.parameter2);
      builder.set<int32_t>(2, 128);
      break;
    case TypeId::kTime:
      builder.set<int32_t>(1, column.parameter2);
      [[fallthrough]];
    case TypeId::kFloatingPoint:
    case TypeId::kDate:
    case TypeId::kDuration:
    case TypeId::kInterval:
      builder.set<int16_t>(0, static_cast<int16_t>(column.parameter));
      break;
    case TypeId::kTimestamp:
      if (timezone != 0) builder.set_reference(1, timezone);
      builder.set<int16_t>(0, static_cast<int16_t>(column.parameter));
      break;
    case TypeId::kFixedSizeBinary:
    case TypeId::kFixedSizeList:
      builder.set<int32_t>(0, static_cast<int32_t>(column.width));
      break;
    case TypeId::kMap:
      builder.set<uint8_t>(0, 0);
      break;
    default:
      break;  // a type without parameters
  }
  return builder.end_table();
}

}  // namespace

ColumnType read_column_type(const ArrowSchema& schema) {
  ColumnType column;
  column.name = schema.name == nullptr ? "" : schema.name;
  column.nullable = (schema.flags & kFlagNullable) != 0;
  const std::string_view format = schema.format == nullptr ? "" : schema.format;
  if (schema.dictionary != nullptr) refuse(column, "dictionary");
  if (!apply_simple(column, format) && !apply_timestamp(column, format) &&
      !apply_sized(column, format)) {
    refuse(column, format);
  }
  for (int64_t i = 0; i < schema.n_children; ++i) {
    column.children.push_back(read_column_type(*schema.children[i]));
  }
  return column;
}

FlatBuilder::Reference add_field(FlatBuilder& builder, const ColumnType& column) {
  std::vector<FlatBuilder::Reference> children;
  for (const ColumnType& child : column.children) children.push_back(add_field(builder, child));
  const auto child_vector = builder.add_vector(children);
  const auto type = add_type(builder, column);
  const auto name = builder.add_string(column.name);
  builder.begin_table();
  builder.set_reference(0, name);
  builder.set_reference(3, type);
  builder.set_reference(5, child_vector);
  builder.set<uint8_t>(1, column.nullable ? 1 : 0);
  builder.set<uint8_t>(2, static_cast<uint8_t>(column.id));
  return builder.end_table();
}

}  // namespace headrace::arrow
