#include "views/multiset.h"

#include "base/format.h"

namespace headrace::views {
namespace {

constexpr int64_t kRegisters = 4096;
constexpr int kHashBits = 52;  // of 64, without those that choose the register
// ln(1.01 / 0.99): the width of a bucket, so that its middle is 1 % from its ends.
constexpr const char* kBucketWidth = "0.020000666706669543";
constexpr int kBucketOffset = 40'000;  // more than the buckets of the least positive double

std::string key_of(const std::string& entry) { return format("struct_extract({}, 'key')", entry); }

// `body` with `name` standing for the value of `expression`, which is computed once.
std::string let(const std::string& name, const std::string& expression, const std::string& body) {
  return format("list_extract(list_transform([{}], lambda {}: {}), 1)", expression, name, body);
}

// The key of the row at `index` (from 0) in the order of keys.
std::string key_at(const std::string& values, const std::string& index) {
  return key_of(format("list_extract(list_filter({}, lambda e: struct_extract(e, 'upto') > {}), 1)",
                       values, index));
}

std::string row_count(const std::string& values) {
  return format("struct_extract(list_extract({}, -1), 'upto')", values);
}

std::string repeated(const std::string& entries, int64_t most) {
  return format(
      "flatten(list_transform({}, lambda e: repeat([struct_extract(e, 'key')], "
      "least(struct_extract(e, 'value'), {}))))",
      entries, most);
}

}  // namespace

std::string multiset_sql(const std::string& key, const std::string& filter) {
  return format(
      "list_transform(map_entries(histogram({}){}), lambda e: struct_pack(\"key\" := "
      "struct_extract(e, 'key'), \"value\" := CAST(struct_extract(e, 'value') AS BIGINT), upto := "
      "CAST(0 AS BIGINT)))",
      key, filter);
}

std::string distinct_count_sql(const std::string& values) {
  return format("coalesce(len({}), 0)", values);
}

std::string least_sql(const std::string& values) {
  return key_of(format("list_extract({}, 1)", values));
}

std::string greatest_sql(const std::string& values) {
  return key_of(format("list_extract({}, -1)", values));
}

std::string n_least_sql(const std::string& values, int64_t n) {
  return format("list_slice({}, 1, {})", repeated(format("list_slice({}, 1, {})", values, n), n),
                n);
}

std::string n_greatest_sql(const std::string& values, int64_t n) {
  return format("list_slice(list_reverse({}), 1, {})",
                repeated(format("list_slice({}, -{}, -1)", values, n), n), n);
}

std::string discrete_quantile_sql(const std::string& values, const std::string& fraction) {
  const std::string rows = row_count(values);
  return key_at(values, format("greatest(1, {0} - CAST(floor({0} - CAST({1} AS DOUBLE) * {0}) AS "
                               "BIGINT)) - 1",
                               rows, fraction));
}

std::string continuous_quantile_sql(const std::string& values, const std::string& fraction) {
  const std::string place = format("(CAST({} AS DOUBLE) * ({} - 1))", fraction, row_count(values));
  const std::string low = format("CAST({} AS DOUBLE)", key_at(values, format("floor({})", place)));
  const std::string high = format("CAST({} AS DOUBLE)", key_at(values, format("ceil({})", place)));
  return format("{0} + ({1} - {0}) * ({2} - floor({2}))", low, high, place);
}

std::string register_sql(const std::string& value) {
  const std::string hash = format("md5_number_lower(CAST({} AS VARCHAR))", value);
  // The zeros in front of the first one among the other bits, and one more.
  const std::string rank = format(
      "CASE WHEN ({0} // {1}) = 0 THEN {2} ELSE {3} - CAST(floor(log2(CAST({0} // {1} AS DOUBLE))) "
      "AS INTEGER) END",
      hash, kRegisters, kHashBits + 1, kHashBits);
  return format("CAST({} % {} AS INTEGER) * 64 + {}", hash, kRegisters, rank);
}

std::string estimated_count_sql(const std::string& registers) {
  // The greatest rank of each register is its last entry.
  const std::string last = format(
      "list_filter({0}, lambda e, i: i = len({0}) OR struct_extract(list_extract({0}, i + 1), "
      "'key') // 64 <> struct_extract(e, 'key') // 64)",
      registers);
  const std::string sum =
      "list_sum(list_transform(r, lambda e: pow(2.0, -(struct_extract(e, 'key') % 64))))";
  const std::string empty = format("({} - len(r))", kRegisters);
  const std::string estimate =
      format("(0.7213 / (1 + 1.079 / {0}) * {0} * {0} / ({1} + {2}))", kRegisters, sum, empty);
  // Few values are told better by the registers that are empty.
  const std::string body =
      format("CASE WHEN {0} > 0 AND {1} <= 2.5 * {2} THEN {2} * ln({2}.0 / {0}) ELSE {1} END",
             empty, estimate, kRegisters);
  return format("CASE WHEN {} IS NULL THEN 0 ELSE CAST(round({}) AS BIGINT) END", registers,
                let("r", last, body));
}

std::string bucket_sql(const std::string& value) {
  return format(
      "CAST(CASE WHEN abs({0}) < 1e-300 THEN 0 WHEN {0} > 0 THEN {1} + ceil(ln({0}) / {2}) ELSE "
      "-({1} + ceil(ln(-{0}) / {2})) END AS INTEGER)",
      value, kBucketOffset, kBucketWidth);
}

std::string approximate_quantile_sql(const std::string& buckets, const std::string& fraction) {
  const std::string bucket =
      key_at(buckets, format("floor(CAST({} AS DOUBLE) * ({} - 1))", fraction, row_count(buckets)));
  return let("b", bucket,
             format("CASE WHEN b = 0 THEN 0.0 ELSE sign(b) * 0.99 * exp((abs(b) - {}) * {}) END",
                    kBucketOffset, kBucketWidth));
}

}  // namespace headrace::views
