#include "lake/value_range.h"

#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include "lake/decimal.h"
#include "lake/murmur3.h"
#include "lake/single_value.h"

namespace headrace::lake {
namespace {

constexpr int64_t kHourUs = 3'600'000'000;
constexpr int64_t kDayUs = 24 * kHourUs;

template <class T>
std::string raw_bytes(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

template <class T>
T value_of(const std::string& bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

bool is_floating(const Type& type) {
  return type.kind == TypeKind::kFloat || type.kind == TypeKind::kDouble;
}

// Whether these can be a bound of the type: a long column may hold bounds from when it was an int,
// and so for double.
bool has_size_of(const Type& type, size_t size) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return size == 1;
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kFloat:
      return size == 4;
    case TypeKind::kLong:
    case TypeKind::kDouble:
      return size == 4 || size == 8;
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz:
      return size == 8;
    case TypeKind::kDecimal:
      return size >= 1 && size <= 16;
    case TypeKind::kString:
    case TypeKind::kBinary:
    case TypeKind::kFixed:
      return true;
    default:
      // Writers do not agree on the order of UUIDs.
      return false;
  }
}

int64_t integer_of(const std::string& bytes) {
  return bytes.size() == 4 ? value_of<int32_t>(bytes) : value_of<int64_t>(bytes);
}

double number_of(const std::string& bytes) {
  return bytes.size() == 4 ? static_cast<double>(value_of<float>(bytes)) : value_of<double>(bytes);
}

std::optional<std::string> bound(const std::map<int, std::string>& bounds, int field_id,
                                 const Type& type) {
  const auto found = bounds.find(field_id);
  if (found == bounds.end() || !is_bound_of(type, found->second)) return std::nullopt;
  return found->second;
}

std::optional<int64_t> product(int64_t a, int64_t b) {
  int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

// The integer of a type of 4 or 8 bytes.
std::optional<std::string> integer_bytes(const Type& type, std::optional<int64_t> value) {
  if (!value) return std::nullopt;
  if (type.kind != TypeKind::kInt && type.kind != TypeKind::kDate) return raw_bytes(*value);
  if (*value < std::numeric_limits<int32_t>::min() || *value > std::numeric_limits<int32_t>::max())
    return std::nullopt;
  return raw_bytes(static_cast<int32_t>(*value));
}

std::optional<int64_t> days_of_month(int64_t months_since_1970) {
  using namespace std::chrono;
  const int64_t years =
      months_since_1970 >= 0 ? months_since_1970 / 12 : -((11 - months_since_1970) / 12);
  const int64_t year = 1970 + years;
  if (year < int{std::chrono::year::min()} || year > int{std::chrono::year::max()}) {
    return std::nullopt;
  }
  const auto first = std::chrono::year(static_cast<int>(year)) /
                     month(static_cast<unsigned>(months_since_1970 - 12 * years + 1)) / day(1);
  return sys_days(first).time_since_epoch().count();
}

// Where a unit of time begins, in the integers of the source's type.
std::optional<int64_t> begin_of(TransformKind transform, const Type& source, int64_t number) {
  if (transform == TransformKind::kHour) return product(number, kHourUs);
  std::optional<int64_t> days = number;
  if (transform == TransformKind::kMonth) days = days_of_month(number);
  if (transform == TransformKind::kYear) days = days_of_month(number * 12);
  if (!days || source.kind == TypeKind::kDate) return days;
  return product(*days, kDayUs);
}

void set_calendar_bounds(ValueRange& range, const Transform& transform, const Type& source,
                         const ValueRange& transformed) {
  if (transformed.lower) {
    range.lower =
        integer_bytes(source, begin_of(transform.kind, source, integer_of(*transformed.lower)));
  }
  if (transformed.upper) {
    const auto next = begin_of(transform.kind, source, integer_of(*transformed.upper) + 1);
    if (next) range.upper = integer_bytes(source, *next - 1);
  }
}

size_t code_points(const std::string& text) {
  size_t count = 0;
  for (const char c : text) count += (static_cast<uint8_t>(c) & 0xC0) != 0x80;
  return count;
}

// The greatest value that is cut to this one.
std::optional<std::string> greatest_cut_to(const Transform& transform, const Type& source,
                                           const std::string& cut) {
  const auto width = static_cast<size_t>(transform.argument);
  switch (source.kind) {
    case TypeKind::kInt:
    case TypeKind::kLong: {
      int64_t greatest = 0;
      if (__builtin_add_overflow(integer_of(cut), transform.argument - 1, &greatest)) {
        return std::nullopt;
      }
      return integer_bytes(source, greatest);
    }
    case TypeKind::kDecimal:
      return decimal_to_bytes(decimal_from_bytes(cut) + transform.argument - 1);
    case TypeKind::kString:
      // No text has this byte, so all that begin with `cut` come before it.
      return code_points(cut) < width ? cut : cut + '\xFF';
    default:
      if (cut.size() < width) return cut;
      return std::nullopt;
  }
}

// The greater of two bounds (sign 1) or the less (−1).
std::optional<std::string> tighter(const Type& type, const std::optional<std::string>& a,
                                   const std::optional<std::string>& b, int sign) {
  if (!a || !b) return a ? a : b;
  return compare_single_values(type, *a, *b) * sign > 0 ? a : b;
}

bool is_integer(const Type& type) {
  return type.kind == TypeKind::kInt || type.kind == TypeKind::kLong;
}

Int128 power_of_ten(int exponent) {
  Int128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

int64_t floored(int64_t value, int64_t unit) {
  const int64_t rest = value % unit;
  return value / unit - (rest < 0 ? 1 : 0);
}

using Bound = std::optional<std::string>;

// A value after a cast that keeps the order; the second nullopt: there is no such cast.
std::optional<Bound> cast_bound(const std::string& bytes, const Type& from, const Type& to) {
  if (is_integer(from) && to.kind == TypeKind::kLong) return raw_bytes(integer_of(bytes));
  if (is_integer(from) && to.kind == TypeKind::kDouble) {
    return raw_bytes(static_cast<double>(integer_of(bytes)));
  }
  if (is_integer(from) && to.kind == TypeKind::kDecimal) {
    // Fits: a long has 19 digits, a decimal's scale is at most 38 and the engine casts only what
    // fits; what does not is no bound.
    if (to.scale > 18) return Bound();
    return decimal_to_bytes(integer_of(bytes) * power_of_ten(to.scale));
  }
  if (from.kind == TypeKind::kFloat && to.kind == TypeKind::kDouble) {
    return raw_bytes(number_of(bytes));
  }
  if (from.kind == TypeKind::kDecimal && to.kind == TypeKind::kDecimal && to.scale >= from.scale) {
    if (from.precision + to.scale - from.scale > 38) return Bound();
    return decimal_to_bytes(decimal_from_bytes(bytes) * power_of_ten(to.scale - from.scale));
  }
  if (from.kind == TypeKind::kDate && to.kind == TypeKind::kTimestamp) {
    const auto micros = product(integer_of(bytes), kDayUs);
    return micros ? Bound(raw_bytes(*micros)) : Bound();
  }
  if (from.kind == TypeKind::kTimestamp && to.kind == TypeKind::kDate) {
    return integer_bytes(to, floored(integer_of(bytes), kDayUs));
  }
  return std::nullopt;
}

}  // namespace

bool is_bound_of(const Type& type, const std::string& single_value) {
  return has_size_of(type, single_value.size()) && !is_nan(type, single_value);
}

bool is_nan(const Type& type, const std::string& single_value) {
  return is_floating(type) && std::isnan(number_of(single_value));
}

ValueRange range_of_statistics(const DataFile& file, int field_id, const Type& type) {
  ValueRange range;
  if (type.is_nested()) return range;
  const FileFigures& figures = *file.figures;
  const auto nans = figures.nan_value_counts.find(field_id);
  range.may_be_nan =
      is_floating(type) && (nans == figures.nan_value_counts.end() || nans->second != 0);
  if (const auto nulls = figures.null_value_counts.find(field_id);
      nulls != figures.null_value_counts.end()) {
    range.may_be_null = nulls->second != 0;
    range.may_be_value = nulls->second != file.record_count;
  }
  range.lower = bound(figures.lower_bounds, field_id, type);
  range.upper = bound(figures.upper_bounds, field_id, type);
  return range;
}

ValueRange range_of_partition(const Transform& transform, const Type& source,
                              const ValueRange& transformed) {
  ValueRange range;
  range.may_be_nan = is_floating(source);
  if (transform.kind == TransformKind::kVoid || source.is_nested()) return range;
  range.may_be_null = transformed.may_be_null;
  range.may_be_value = transformed.may_be_value;
  switch (transform.kind) {
    case TransformKind::kIdentity:
      // A float as text is not what it is as a double, after the column was widened.
      if (is_floating(source) || source.kind == TypeKind::kUuid) return range;
      range.lower = transformed.lower;
      range.upper = transformed.upper;
      return range;
    case TransformKind::kBucket:
      if (transformed.lower && transformed.upper) {
        range.buckets = ValueRange::Buckets{transform.argument, integer_of(*transformed.lower),
                                            integer_of(*transformed.upper)};
      }
      return range;
    case TransformKind::kTruncate:
      range.lower = transformed.lower;
      if (transformed.upper) range.upper = greatest_cut_to(transform, source, *transformed.upper);
      return range;
    default:
      set_calendar_bounds(range, transform, source, transformed);
      return range;
  }
}

ValueRange intersection(const Type& type, const ValueRange& a, const ValueRange& b) {
  ValueRange both;
  both.may_be_null = a.may_be_null && b.may_be_null;
  both.may_be_value = a.may_be_value && b.may_be_value;
  both.may_be_nan = a.may_be_nan && b.may_be_nan;
  both.lower = tighter(type, a.lower, b.lower, 1);
  both.upper = tighter(type, a.upper, b.upper, -1);
  both.buckets = a.buckets ? a.buckets : b.buckets;
  return both;
}

std::optional<ValueRange> converted(const ValueRange& range, const Type& from, const Type& to) {
  ValueRange result = range;
  for (std::optional<std::string>* side : {&result.lower, &result.upper}) {
    if (!*side) continue;
    auto cast = cast_bound(**side, from, to);
    if (!cast) return std::nullopt;
    *side = std::move(*cast);
  }
  // The integers of these hash alike.
  if (!is_integer(from) || to.kind != TypeKind::kLong) result.buckets.reset();
  return result;
}

int64_t bucket_of(const Type& type, const std::string& single_value, int count) {
  std::string hashed = single_value;
  switch (type.kind) {
    case TypeKind::kInt:
    case TypeKind::kLong:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz:
      hashed = raw_bytes(integer_of(single_value));
      break;
    default:
      break;
  }
  return (murmur3_x86_32(hashed) & 0x7FFFFFFFU) % static_cast<uint32_t>(count);
}

}  // namespace headrace::lake
