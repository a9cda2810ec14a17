#pragma once

// Records of a topic as columns: what a bronze table holds and what jobs see of a topic.

#include <string_view>
#include <vector>

#include "engine/database.h"
#include "engine/vector.h"
#include "stream/record_batch.h"

namespace headrace::tables {

enum RecordColumn : size_t {
  kTopicColumn,
  kPartitionColumn,
  kOffsetColumn,
  kTimeColumn,
  kKeyColumn,
  kHeadersColumn,
  kValueColumn,
  kKeyBytesColumn,
  kValueBytesColumn,
  kRecordColumnCount
};

// _topic, _partition, _offset, _time, _key, _headers, value, _key_bytes, value_bytes. Keys and
// values are text where they are valid UTF-8; where not, the text is NULL and the bytes stand in
// the *_bytes column, so nothing is lost or changed. _headers is a JSON array of {"key", "value" |
// "value_hex"}.
const std::vector<engine::Column>& record_columns();

// Which columns of a chunk are which of a record's; writes record after record.
class RecordWriter {
 public:
  // `projection`: the RecordColumn of each column of the chunk; larger numbers are left to the
  // caller.
  RecordWriter(std::string_view topic, const std::vector<size_t>& projection,
               engine::MutableChunk& chunk);
  void write(size_t row, int partition, const stream::RecordView& record);

 private:
  struct Target {
    size_t column;
    engine::MutableVector vector;
  };
  std::string_view topic_;
  std::vector<Target> targets_;
};

// The text of a record's headers without headrace's own; empty when there are none.
std::string headers_text(const stream::RecordView& record);

}  // namespace headrace::tables
