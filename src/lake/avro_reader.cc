#include <cstring>

#include "base/error.h"
#include "base/varint.h"
#include "codec/raw_deflate.h"
#include "lake/avro_file.h"

namespace headrace::lake {
namespace {

constexpr std::string_view kMagic = "Obj\1";
constexpr size_t kSyncSize = 16;
constexpr size_t kMaxFileSize = size_t{1} << 30;
constexpr size_t kMaxBlockSize = size_t{1} << 30;
constexpr size_t kMaxSchemaSize = size_t{16} << 20;

[[noreturn]] void corrupt(std::string_view why) {
  fail(ErrorKind::kCorrupt, "reading an Avro file: {}", why);
}

// Takes values off the front of bytes that nobody has vouched for.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }
  size_t remaining() const { return rest_.size(); }

  int64_t take_long() {
    int64_t value = 0;
    if (!take_zigzag(rest_, value)) corrupt("a number is cut short");
    return value;
  }
  std::string_view take(size_t size) {
    if (size > rest_.size()) corrupt("it ends within a value");
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  std::string_view take_bytes() {
    const int64_t size = take_long();
    if (size < 0) corrupt("a length is negative");
    return take(static_cast<size_t>(size));
  }
  template <class T>
  T take_raw() {
    T value;
    const std::string_view bytes = take(sizeof(T));
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }
  // The items of the next block of an array or map; 0 at its end. Every item takes at least a
  // byte, so a count cannot exceed what is left.
  size_t take_block_count() {
    int64_t count = take_long();
    if (count < 0) {
      if (count == INT64_MIN) corrupt("an array is too long");
      count = -count;
      take_long();  // the block's size in bytes
    }
    if (static_cast<uint64_t>(count) > rest_.size()) corrupt("an array is longer than the file");
    return static_cast<size_t>(count);
  }

 private:
  std::string_view rest_;
};

AvroValue decode(Decoder& in, const AvroSchema& schema);

AvroValue decode_record(Decoder& in, const AvroSchema& schema) {
  AvroRecord record{&schema, {}};
  record.values.reserve(schema.fields.size());
  for (const AvroField& field : schema.fields) record.values.push_back(decode(in, *field.schema));
  return record;
}

AvroValue decode_array(Decoder& in, const AvroSchema& schema) {
  AvroValues values;
  while (const size_t count = in.take_block_count()) {
    for (size_t i = 0; i < count; ++i) {
      const size_t before = in.remaining();
      values.push_back(decode(in, *schema.items));
      if (in.remaining() == before) corrupt("an array has items of no size");
    }
  }
  return values;
}

AvroValue decode_map(Decoder& in, const AvroSchema& schema) {
  AvroValues values;
  while (const size_t count = in.take_block_count()) {
    for (size_t i = 0; i < count; ++i) {
      AvroRecord entry;
      entry.values.emplace_back(std::string(in.take_bytes()));
      entry.values.push_back(decode(in, *schema.items));
      values.emplace_back(std::move(entry));
    }
  }
  return values;
}

const AvroSchema& branch_of(Decoder& in, const AvroSchema& schema) {
  const auto index = static_cast<uint64_t>(in.take_long());
  if (index >= schema.branches.size()) corrupt("a union has no such branch");
  return *schema.branches[index];
}

AvroValue decode(Decoder& in, const AvroSchema& schema) {
  switch (schema.kind) {
    case AvroKind::kNull:
      return {};
    case AvroKind::kBoolean:
      return in.take(1)[0] != 0;
    case AvroKind::kInt:
    case AvroKind::kLong:
      return in.take_long();
    case AvroKind::kFloat:
      return static_cast<double>(in.take_raw<float>());
    case AvroKind::kDouble:
      return in.take_raw<double>();
    case AvroKind::kBytes:
    case AvroKind::kString:
      return std::string(in.take_bytes());
    case AvroKind::kFixed:
      return std::string(in.take(schema.fixed_size));
    case AvroKind::kEnum: {
      const auto index = static_cast<uint64_t>(in.take_long());
      if (index >= schema.symbols.size()) corrupt("an enum has no such symbol");
      return schema.symbols[index];
    }
    case AvroKind::kRecord:
      return decode_record(in, schema);
    case AvroKind::kArray:
      return decode_array(in, schema);
    case AvroKind::kMap:
      return decode_map(in, schema);
    case AvroKind::kUnion:
      return decode(in, branch_of(in, schema));
  }
  corrupt("its schema has an unknown type");
}

AvroMetadata take_metadata(Decoder& in) {
  AvroMetadata metadata;
  while (const size_t count = in.take_block_count()) {
    for (size_t i = 0; i < count; ++i) {
      std::string key(in.take_bytes());
      metadata[std::move(key)] = in.take_bytes();
    }
  }
  return metadata;
}

void decode_block(std::string_view block, int64_t rows, AvroContent& content) {
  Decoder in(block);
  for (int64_t i = 0; i < rows; ++i) {
    const size_t before = in.remaining();
    content.rows.push_back(decode(in, *content.schema));
    if (in.remaining() == before) corrupt("a block has fewer rows than it says");
  }
  if (!in.at_end()) corrupt("a block has more bytes than rows");
}

}  // namespace

AvroContent read_avro_file(std::string_view bytes) {
  if (bytes.size() > kMaxFileSize) corrupt("it is larger than 1 GiB");
  if (!bytes.starts_with(kMagic)) corrupt("it does not begin as one");
  Decoder in(bytes.substr(kMagic.size()));
  AvroContent content;
  content.metadata = take_metadata(in);
  const std::string_view sync = in.take(kSyncSize);
  const std::string& codec_name = content.metadata["avro.codec"];
  const bool deflated = codec_name == "deflate";
  if (!codec_name.empty() && codec_name != "null" && !deflated) {
    fail(ErrorKind::kUnsupported, "reading an Avro file: codec \"{}\" is neither null nor deflate",
         codec_name);
  }
  const std::string& schema = content.metadata["avro.schema"];
  if (schema.size() > kMaxSchemaSize) corrupt("its schema is too large");
  try {
    content.schema = parse_avro_schema(parse_json(schema, "the schema of an Avro file"));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid) throw;
    corrupt(error.message());
  }
  if (content.schema->kind != AvroKind::kRecord) corrupt("its schema is not a record");
  while (!in.at_end()) {
    const int64_t rows = in.take_long();
    if (rows < 0) corrupt("a block has a negative count");
    const std::string_view block = in.take_bytes();
    if (deflated) {
      decode_block(codec::raw_inflate(block, kMaxBlockSize), rows, content);
    } else {
      decode_block(block, rows, content);
    }
    if (in.take(kSyncSize) != sync) corrupt("a block does not end with the sync marker");
  }
  return content;
}

}  // namespace headrace::lake
