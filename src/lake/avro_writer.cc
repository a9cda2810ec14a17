#include <cstring>

#include "base/error.h"
#include "base/varint.h"
#include "codec/raw_deflate.h"
#include "lake/avro_file.h"

namespace headrace::lake {
namespace {

void append_bytes(std::string& out, std::string_view bytes) {
  append_zigzag(out, static_cast<int64_t>(bytes.size()));
  out += bytes;
}

template <class T>
void append_raw(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

void encode(std::string& out, const AvroSchema& schema, const AvroValue& value);

void encode_record(std::string& out, const AvroSchema& schema, const AvroRecord& record) {
  if (record.values.size() != schema.fields.size()) {
    fail(ErrorKind::kInternal, "writing Avro: a record has {} values for {} fields",
         record.values.size(), schema.fields.size());
  }
  for (size_t i = 0; i < record.values.size(); ++i) {
    encode(out, *schema.fields[i].schema, record.values[i]);
  }
}

void encode_array(std::string& out, const AvroSchema& schema, const AvroValues& values) {
  if (!values.empty()) {
    append_zigzag(out, static_cast<int64_t>(values.size()));
    for (const AvroValue& value : values) encode(out, *schema.items, value);
  }
  append_zigzag(out, 0);
}

void encode_union(std::string& out, const AvroSchema& schema, const AvroValue& value) {
  append_zigzag(out, value.is_null() ? 0 : 1);
  if (!value.is_null()) encode(out, *schema.branches.at(1), value);
}

void encode(std::string& out, const AvroSchema& schema, const AvroValue& value) {
  switch (schema.kind) {
    case AvroKind::kNull:
      return;
    case AvroKind::kBoolean:
      out += static_cast<char>(value.boolean() ? 1 : 0);
      return;
    case AvroKind::kInt:
    case AvroKind::kLong:
      append_zigzag(out, value.integer());
      return;
    case AvroKind::kFloat:
      append_raw(out, static_cast<float>(value.number()));
      return;
    case AvroKind::kDouble:
      append_raw(out, value.number());
      return;
    case AvroKind::kBytes:
    case AvroKind::kString:
      append_bytes(out, value.bytes());
      return;
    case AvroKind::kFixed:
      if (value.bytes().size() != schema.fixed_size) {
        fail(ErrorKind::kInternal, "writing Avro: {} bytes for a fixed of {}", value.bytes().size(),
             schema.fixed_size);
      }
      out += value.bytes();
      return;
    case AvroKind::kRecord:
      encode_record(out, schema, value.record());
      return;
    case AvroKind::kArray:
      encode_array(out, schema, value.array());
      return;
    case AvroKind::kUnion:
      encode_union(out, schema, value);
      return;
    case AvroKind::kEnum:
    case AvroKind::kMap:
      fail(ErrorKind::kInternal, "writing Avro: enums and maps are not used by Iceberg");
  }
}

}  // namespace

std::string write_avro_file(const Json& schema, const AvroMetadata& metadata,
                            const AvroValues& rows, std::string_view sync_marker) {
  AvroMetadata all = metadata;
  all["avro.schema"] = to_text(schema);
  all["avro.codec"] = "deflate";
  std::string out = "Obj\1";
  append_zigzag(out, static_cast<int64_t>(all.size()));
  for (const auto& [key, value] : all) {
    append_bytes(out, key);
    append_bytes(out, value);
  }
  append_zigzag(out, 0);
  out += sync_marker;
  if (rows.empty()) return out;
  const AvroSchemaPtr parsed = parse_avro_schema(schema);
  std::string block;
  for (const AvroValue& row : rows) encode(block, *parsed, row);
  append_zigzag(out, static_cast<int64_t>(rows.size()));
  append_bytes(out, codec::raw_deflate(block));
  out += sync_marker;
  return out;
}

}  // namespace headrace::lake
