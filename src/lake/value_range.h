#pragma once

// What is known of a column's values in a file, or in the files of a manifest, before any is
// opened. Pure functions, any thread. Facts: Iceberg table spec, "Scan Planning", "Partition
// Transforms", "Appendix D".

#include <optional>
#include <string>

#include "lake/table.h"
#include "lake/types.h"

namespace headrace::lake {

// Every value that is there is within it; it may be wider than need be, never narrower.
struct ValueRange {
  bool may_be_null = true;
  bool may_be_value = true;               // any but NULL
  bool may_be_nan = true;                 // of float and double; not within the bounds
  std::optional<std::string> lower = {};  // single values; nullopt: not known
  std::optional<std::string> upper = {};
  // Of integers of the bucket transform: which of how many buckets, at least and at most.
  struct Buckets {
    int count = 0;
    int64_t first = 0;
    int64_t last = 0;
  };
  std::optional<Buckets> buckets = {};
};

// By the counts and bounds of a data file. `type`: the column's type now, it may have been a
// narrower one when the file was written.
ValueRange range_of_statistics(const DataFile& file, int field_id, const Type& type);

// Of a column from a range of its transformed values.
ValueRange range_of_partition(const Transform& transform, const Type& source,
                              const ValueRange& transformed);

// Both are known.
ValueRange intersection(const Type& type, const ValueRange& a, const ValueRange& b);

// What casting a column of one type to another makes of its range. nullopt where the cast is not
// one that keeps the order of values.
std::optional<ValueRange> converted(const ValueRange& range, const Type& from, const Type& to);

// Whether the bytes can be a bound of values of this type, and one that can be trusted.
bool is_bound_of(const Type& type, const std::string& single_value);
bool is_nan(const Type& type, const std::string& single_value);

// The bucket of a value of this type.
int64_t bucket_of(const Type& type, const std::string& single_value, int count);

}  // namespace headrace::lake
