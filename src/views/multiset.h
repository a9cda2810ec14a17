#pragma once

// Multisets: the state behind aggregates that cannot be taken apart into numbers. A multiset has
// each value of a group once, with the number of rows that have it, sorted by value:
//
//   [{key: 1, value: 2, upto: 2}, {key: 7, value: 1, upto: 3}]
//
// Two are merged by adding the counts, and a row that goes takes one from its value's count, so the
// least, the greatest, the different values and any quantile can be told again after any change.
// `upto` is the running sum of the counts; it is made anew by every merge.
//
// All functions make SQL. `values` is SQL that gives a multiset, `key` one that gives a value.

#include <string>

namespace headrace::views {

// The aggregate that makes a multiset of the rows' keys. `filter`: " FILTER (WHERE …)" or nothing.
std::string multiset_sql(const std::string& key, const std::string& filter);

std::string distinct_count_sql(const std::string& values);
std::string least_sql(const std::string& values);
std::string greatest_sql(const std::string& values);
// Lists of up to n, the best first; NULL when there are none.
std::string n_least_sql(const std::string& values, int64_t n);
std::string n_greatest_sql(const std::string& values, int64_t n);
// As quantile_disc and quantile_cont of the engine, the latter as a double.
std::string discrete_quantile_sql(const std::string& values, const std::string& fraction);
std::string continuous_quantile_sql(const std::string& values, const std::string& fraction);

// Approximate forms: their multisets have few keys, however many values a group has.
// A value's place in a HyperLogLog of 4,096 registers (standard error 1.6 %), and the estimate.
std::string register_sql(const std::string& value);
std::string estimated_count_sql(const std::string& registers);
// The bucket of a value on a logarithmic scale, and a quantile that is at most 1 % off.
std::string bucket_sql(const std::string& value);
std::string approximate_quantile_sql(const std::string& buckets, const std::string& fraction);

}  // namespace headrace::views
