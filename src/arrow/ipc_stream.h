#pragma once

// Writes the Arrow IPC streaming format from the structs of the C data interface:
// arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format.
//
//   IpcStream stream(*schema);
//   send(stream.schema_message());
//   while (next(array)) send(stream.batch_message(*array));
//   send(IpcStream::end_of_stream());
//
// Not thread-safe. Errors: unsupported for a type that the API does not give out (dictionaries,
// unions, views, sliced arrays), naming the column; invalid for structs that break the interface.

#include <string>
#include <string_view>
#include <vector>

#include "arrow/c_data.h"
#include "arrow/column_type.h"

namespace headrace::arrow {

class IpcStream {
 public:
  // `schema` is that of a struct: its children are the columns. It is not needed afterwards.
  explicit IpcStream(const ArrowSchema& schema);

  std::string schema_message() const;
  std::string batch_message(const ArrowArray& array) const;
  static std::string_view end_of_stream();

 private:
  std::vector<ColumnType> columns_;
};

}  // namespace headrace::arrow
