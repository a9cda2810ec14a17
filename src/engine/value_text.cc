#include "engine/value_text.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "base/json.h"
#include "engine/logical_type.h"
#include "engine/vector.h"

namespace headrace::engine {
namespace {

template <class T>
T at(duckdb_vector vector, idx_t row) {
  return static_cast<T*>(duckdb_vector_get_data(vector))[row];
}

__extension__ using Signed128 = __int128;
__extension__ using Unsigned128 = unsigned __int128;

// A 128-bit integer in decimal with `scale` digits after the point.
std::string decimal_text(Signed128 value, int scale) {
  const bool negative = value < 0;
  auto rest = negative ? -static_cast<Unsigned128>(value) : static_cast<Unsigned128>(value);
  std::string digits;
  do {
    digits += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  while (static_cast<int>(digits.size()) <= scale) digits += '0';
  if (scale > 0) digits.insert(static_cast<size_t>(scale), 1, '.');
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

Signed128 wide(duckdb_hugeint value) {
  return static_cast<Signed128>(value.upper) * (static_cast<Signed128>(1) << 64) + value.lower;
}

std::string decimal_at(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  const int scale = duckdb_decimal_scale(type);
  switch (duckdb_decimal_internal_type(type)) {
    case DUCKDB_TYPE_SMALLINT:
      return decimal_text(at<int16_t>(vector, row), scale);
    case DUCKDB_TYPE_INTEGER:
      return decimal_text(at<int32_t>(vector, row), scale);
    case DUCKDB_TYPE_BIGINT:
      return decimal_text(at<int64_t>(vector, row), scale);
    default:
      return decimal_text(wide(at<duckdb_hugeint>(vector, row)), scale);
  }
}

std::string time_text(int64_t micros) {
  const duckdb_time_struct time = duckdb_from_time({micros});
  std::string text = format("{:02}:{:02}:{:02}", time.hour, time.min, time.sec);
  if (time.micros != 0) {
    std::string fraction = format(".{:06}", time.micros);
    while (fraction.back() == '0') fraction.pop_back();
    text += fraction;
  }
  return text;
}

std::string date_text(int32_t days) {
  if (!duckdb_is_finite_date({days})) return days > 0 ? "infinity" : "-infinity";
  const duckdb_date_struct date = duckdb_from_date({days});
  return format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

std::string timestamp_text(int64_t micros) {
  if (!duckdb_is_finite_timestamp({micros})) return micros > 0 ? "infinity" : "-infinity";
  constexpr int64_t kDay = 86'400'000'000;
  const int64_t days = micros >= 0 ? micros / kDay : -((-micros + kDay - 1) / kDay);
  return date_text(static_cast<int32_t>(days)) + " " + time_text(micros - days * kDay);
}

std::string uuid_text(duckdb_hugeint value) {
  const uint64_t high = static_cast<uint64_t>(value.upper) ^ (1ull << 63);
  return format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF,
                high & 0xFFFF, value.lower >> 48, value.lower & 0xFFFFFFFFFFFFull);
}

std::string_view string_at(duckdb_vector vector, idx_t row) {
  auto& text = static_cast<duckdb_string_t*>(duckdb_vector_get_data(vector))[row];
  return {duckdb_string_t_data(&text), duckdb_string_t_length(text)};
}

std::string interval_text(const duckdb_interval& interval) {
  return format("{} months {} days {} microseconds", interval.months, interval.days,
                interval.micros);
}

Json value_json(duckdb_vector vector, duckdb_logical_type type, idx_t row);

Json list_json(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  const auto entry = at<duckdb_list_entry>(vector, row);
  const LogicalType child_type(duckdb_list_type_child_type(type));
  JsonArray values;
  for (idx_t i = 0; i < entry.length; ++i) {
    values.push_back(
        value_json(duckdb_list_vector_get_child(vector), child_type.get(), entry.offset + i));
  }
  return values;
}

Json map_json(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  const auto entry = at<duckdb_list_entry>(vector, row);
  const duckdb_vector pairs = duckdb_list_vector_get_child(vector);
  const LogicalType key_type(duckdb_map_type_key_type(type));
  const LogicalType value_type(duckdb_map_type_value_type(type));
  JsonObject object;
  for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
    const auto key = value_text(duckdb_struct_vector_get_child(pairs, 0), key_type.get(), i);
    object[key.value_or("")] =
        value_json(duckdb_struct_vector_get_child(pairs, 1), value_type.get(), i);
  }
  return object;
}

Json struct_json(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  JsonObject object;
  for (idx_t i = 0; i < duckdb_struct_type_child_count(type); ++i) {
    char* name = duckdb_struct_type_child_name(type, i);
    const LogicalType child_type(duckdb_struct_type_child_type(type, i));
    object[name] = value_json(duckdb_struct_vector_get_child(vector, i), child_type.get(), row);
    duckdb_free(name);
  }
  return object;
}

bool is_valid(duckdb_vector vector, idx_t row) {
  uint64_t* validity = duckdb_vector_get_validity(vector);
  return validity == nullptr || duckdb_validity_row_is_valid(validity, row);
}

Json value_json(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  if (!is_valid(vector, row)) return nullptr;
  switch (duckdb_get_type_id(type)) {
    case DUCKDB_TYPE_LIST:
      return list_json(vector, type, row);
    case DUCKDB_TYPE_MAP:
      return map_json(vector, type, row);
    case DUCKDB_TYPE_STRUCT:
      return struct_json(vector, type, row);
    case DUCKDB_TYPE_BOOLEAN:
      return at<bool>(vector, row);
    case DUCKDB_TYPE_INTEGER:
      return at<int32_t>(vector, row);
    case DUCKDB_TYPE_BIGINT:
      return at<int64_t>(vector, row);
    case DUCKDB_TYPE_DOUBLE:
      return at<double>(vector, row);
    default:
      return Json(*value_text(vector, type, row));
  }
}

}  // namespace

std::optional<std::string> value_text(duckdb_vector vector, duckdb_logical_type type, idx_t row) {
  if (!is_valid(vector, row)) return std::nullopt;
  const duckdb_type id = duckdb_get_type_id(type);
  switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
      return at<bool>(vector, row) ? "true" : "false";
    case DUCKDB_TYPE_TINYINT:
      return format("{}", at<int8_t>(vector, row));
    case DUCKDB_TYPE_SMALLINT:
      return format("{}", at<int16_t>(vector, row));
    case DUCKDB_TYPE_INTEGER:
      return format("{}", at<int32_t>(vector, row));
    case DUCKDB_TYPE_BIGINT:
      return format("{}", at<int64_t>(vector, row));
    case DUCKDB_TYPE_UTINYINT:
      return format("{}", at<uint8_t>(vector, row));
    case DUCKDB_TYPE_USMALLINT:
      return format("{}", at<uint16_t>(vector, row));
    case DUCKDB_TYPE_UINTEGER:
      return format("{}", at<uint32_t>(vector, row));
    case DUCKDB_TYPE_UBIGINT:
      return format("{}", at<uint64_t>(vector, row));
    case DUCKDB_TYPE_FLOAT:
      return format("{}", at<float>(vector, row));
    case DUCKDB_TYPE_DOUBLE:
      return format("{}", at<double>(vector, row));
    case DUCKDB_TYPE_HUGEINT:
      return decimal_text(wide(at<duckdb_hugeint>(vector, row)), 0);
    case DUCKDB_TYPE_DECIMAL:
      return decimal_at(vector, type, row);
    case DUCKDB_TYPE_DATE:
      return date_text(at<int32_t>(vector, row));
    case DUCKDB_TYPE_TIME:
      return time_text(at<int64_t>(vector, row));
    case DUCKDB_TYPE_TIMESTAMP:
      return timestamp_text(at<int64_t>(vector, row));
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return timestamp_text(at<int64_t>(vector, row)) + "+00";
    case DUCKDB_TYPE_INTERVAL:
      return interval_text(at<duckdb_interval>(vector, row));
    case DUCKDB_TYPE_UUID:
      return uuid_text(at<duckdb_hugeint>(vector, row));
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_BLOB:
      return std::string(string_at(vector, row));
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_MAP:
    case DUCKDB_TYPE_STRUCT:
      return to_text(value_json(vector, type, row));
    default:
      fail(ErrorKind::kUnsupported,
           "values of type {} cannot be shown as text here: cast them to VARCHAR", name_of(type));
  }
}

}  // namespace headrace::engine
