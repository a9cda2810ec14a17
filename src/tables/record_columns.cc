#include "tables/record_columns.h"

#include <simdjson.h>

#include "base/format.h"
#include "base/json.h"

namespace headrace::tables {
namespace {

bool is_text(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

void write_text(engine::MutableVector& vector, size_t row,
                const std::optional<std::string_view>& bytes) {
  if (bytes && is_text(*bytes)) {
    vector.set_string(row, *bytes);
  } else {
    vector.set_null(row);
  }
}

// The other way round: set where the bytes are no text.
void write_bytes(engine::MutableVector& vector, size_t row,
                 const std::optional<std::string_view>& bytes) {
  if (bytes && !is_text(*bytes)) {
    vector.set_string(row, *bytes);
  } else {
    vector.set_null(row);
  }
}

std::string to_hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

}  // namespace

const std::vector<engine::Column>& record_columns() {
  static const std::vector<engine::Column> columns = {
      {"_topic", "VARCHAR"},    {"_partition", "INTEGER"}, {"_offset", "BIGINT"},
      {"_time", "TIMESTAMPTZ"}, {"_key", "VARCHAR"},       {"_headers", "VARCHAR"},
      {"value", "VARCHAR"},     {"_key_bytes", "BLOB"},    {"value_bytes", "BLOB"}};
  return columns;
}

std::string headers_text(const stream::RecordView& record) {
  JsonArray headers;
  for (const stream::RecordHeader& header : stream::decode_headers(record)) {
    if (header.key.starts_with("headrace.")) continue;
    JsonObject object;
    object["key"] = is_text(header.key) ? std::string(header.key) : to_hex(header.key);
    if (header.value && is_text(*header.value)) object["value"] = std::string(*header.value);
    if (header.value && !is_text(*header.value)) object["value_hex"] = to_hex(*header.value);
    headers.push_back(std::move(object));
  }
  return headers.empty() ? "" : to_text(headers);
}

RecordWriter::RecordWriter(std::string_view topic, const std::vector<size_t>& projection,
                           engine::MutableChunk& chunk)
    : topic_(topic) {
  for (size_t i = 0; i < projection.size(); ++i) {
    if (projection[i] < kRecordColumnCount) targets_.push_back({projection[i], chunk.column(i)});
  }
}

void RecordWriter::write(size_t row, int partition, const stream::RecordView& record) {
  for (Target& target : targets_) {
    engine::MutableVector& vector = target.vector;
    switch (target.column) {
      case kTopicColumn:
        vector.set_string(row, topic_);
        break;
      case kPartitionColumn:
        vector.data<int32_t>()[row] = partition;
        break;
      case kOffsetColumn:
        vector.data<int64_t>()[row] = record.offset;
        break;
      case kTimeColumn:
        vector.data<int64_t>()[row] = record.timestamp_ms * 1000;
        break;
      case kKeyColumn:
        write_text(vector, row, record.key);
        break;
      case kValueColumn:
        write_text(vector, row, record.value);
        break;
      case kKeyBytesColumn:
        write_bytes(vector, row, record.key);
        break;
      case kValueBytesColumn:
        write_bytes(vector, row, record.value);
        break;
      default: {
        const std::string text = record.header_count == 0 ? "" : headers_text(record);
        if (text.empty()) {
          vector.set_null(row);
        } else {
          vector.set_string(row, text);
        }
      }
    }
  }
}

}  // namespace headrace::tables
