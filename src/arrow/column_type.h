#pragma once

// A column's type as the format string of the C data interface tells it.

#include <cstdint>
#include <string>
#include <vector>

#include "arrow/c_data.h"
#include "arrow/flat_builder.h"

namespace headrace::arrow {

// How the values of an array lie in its buffers.
enum class Layout {
  kNull,        // no buffers
  kBits,        // validity, one bit each
  kFixed,       // validity, `width` bytes each
  kVariable,    // validity, 32-bit offsets, bytes
  kVariable64,  // validity, 64-bit offsets, bytes
  kList,        // validity, 32-bit offsets; one child
  kList64,      // validity, 64-bit offsets; one child
  kFixedList,   // validity; one child
  kStruct,      // validity; children
};

// The numbers of the union Type in Arrow's Schema.fbs.
enum class TypeId : uint8_t {
  kNull = 1,
  kInt = 2,
  kFloatingPoint = 3,
  kBinary = 4,
  kUtf8 = 5,
  kBool = 6,
  kDecimal = 7,
  kDate = 8,
  kTime = 9,
  kTimestamp = 10,
  kInterval = 11,
  kList = 12,
  kStruct = 13,
  kFixedSizeBinary = 15,
  kFixedSizeList = 16,
  kMap = 17,
  kDuration = 18,
  kLargeBinary = 19,
  kLargeUtf8 = 20,
  kLargeList = 21,
};

struct ColumnType {
  std::string name;
  bool nullable = true;
  TypeId id = TypeId::kNull;
  Layout layout = Layout::kNull;
  int64_t width = 0;       // bytes of a kFixed value, items of a kFixedList
  int32_t parameter = 0;   // bits of an int, precision of a float or decimal, unit of a time
  int32_t parameter2 = 0;  // signedness of an int, scale of a decimal, bits of a time
  std::string timezone;
  std::vector<ColumnType> children;
};

// Throws unsupported or invalid, naming the column.
ColumnType read_column_type(const ArrowSchema& schema);

// Adds the table Field of Schema.fbs.
FlatBuilder::Reference add_field(FlatBuilder& builder, const ColumnType& column);

}  // namespace headrace::arrow
