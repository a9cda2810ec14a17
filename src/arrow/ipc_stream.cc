#include "arrow/ipc_stream.h"

#include <bit>
#include <cstring>

#include "base/error.h"

namespace headrace::arrow {
namespace {

constexpr int16_t kMetadataVersion5 = 4;
constexpr uint8_t kHeaderIsSchema = 1;
constexpr uint8_t kHeaderIsRecordBatch = 3;
constexpr size_t kAlignment = 8;

size_t padded(size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

// A message: marker, length of the metadata, metadata; its body follows.
std::string encapsulate(FlatBuilder& builder, uint8_t header_type, FlatBuilder::Reference header,
                        int64_t body_length) {
  builder.begin_table();
  builder.set<int64_t>(3, body_length);
  builder.set_reference(2, header);
  builder.set<int16_t>(0, kMetadataVersion5);
  builder.set<uint8_t>(1, header_type);
  std::string metadata = builder.finish(builder.end_table());
  metadata.resize(padded(metadata.size()), '\0');
  const auto length = static_cast<uint32_t>(metadata.size());
  std::string message(8, '\xFF');
  std::memcpy(message.data() + 4, &length, sizeof length);
  return message + metadata;
}

int64_t count_nulls(const ArrowArray& array, const uint8_t* validity) {
  if (validity == nullptr) return 0;
  if (array.null_count >= 0) return array.null_count;
  int64_t valid = 0;
  for (int64_t i = 0; i < array.length / 8; ++i) valid += std::popcount(validity[i]);
  for (int64_t i = array.length / 8 * 8; i < array.length; ++i) {
    valid += validity[i / 8] >> (i % 8) & 1;
  }
  return array.length - valid;
}

// Collects what a RecordBatch says of its columns, and their bytes.
class Body {
 public:
  void add(const ColumnType& column, const ArrowArray& array) {
    check(column, array);
    const auto* validity =
        column.layout == Layout::kNull ? nullptr : static_cast<const uint8_t*>(array.buffers[0]);
    const int64_t nulls =
        column.layout == Layout::kNull ? array.length : count_nulls(array, validity);
    nodes_.insert(nodes_.end(), {array.length, nulls});
    if (column.layout != Layout::kNull) {
      put(nulls == 0 ? nullptr : validity, nulls == 0 ? 0 : bits_size(array.length));
    }
    add_values(column, array);
    for (size_t i = 0; i < column.children.size(); ++i) {
      add(column.children[i], *array.children[i]);
    }
  }

  std::string message(int64_t length) const {
    FlatBuilder builder;
    const auto buffers = builder.add_struct_vector(buffers_, 2);
    const auto nodes = builder.add_struct_vector(nodes_, 2);
    builder.begin_table();
    builder.set<int64_t>(0, length);
    builder.set_reference(1, nodes);
    builder.set_reference(2, buffers);
    const auto batch = builder.end_table();
    return encapsulate(builder, kHeaderIsRecordBatch, batch, static_cast<int64_t>(bytes_.size())) +
           bytes_;
  }

 private:
  static size_t bits_size(int64_t count) { return static_cast<size_t>(count + 7) / 8; }

  static int64_t buffers_of(Layout layout) {
    switch (layout) {
      case Layout::kNull:
        return 0;
      case Layout::kStruct:
      case Layout::kFixedList:
        return 1;
      case Layout::kVariable:
      case Layout::kVariable64:
        return 3;
      default:
        return 2;
    }
  }

  static void check(const ColumnType& column, const ArrowArray& array) {
    if (array.offset != 0) {
      fail(ErrorKind::kUnsupported, "writing column '{}' as Arrow: the array is a slice",
           column.name);
    }
    if (array.n_buffers < buffers_of(column.layout) ||
        array.n_children != static_cast<int64_t>(column.children.size())) {
      fail(ErrorKind::kInvalid, "writing column '{}' as Arrow: the array is not of its type",
           column.name);
    }
  }

  void add_values(const ColumnType& column, const ArrowArray& array) {
    const auto length = static_cast<size_t>(array.length);
    switch (column.layout) {
      case Layout::kBits:
        return put(array.buffers[1], bits_size(array.length));
      case Layout::kFixed:
        return put(array.buffers[1], length * static_cast<size_t>(column.width));
      case Layout::kVariable:
        return put(array.buffers[2], put_offsets<int32_t>(array));
      case Layout::kVariable64:
        return put(array.buffers[2], put_offsets<int64_t>(array));
      case Layout::kList:
        put_offsets<int32_t>(array);
        return;
      case Layout::kList64:
        put_offsets<int64_t>(array);
        return;
      case Layout::kNull:
      case Layout::kFixedList:
      case Layout::kStruct:
        return;
    }
  }

  // Returns the last offset: how much there is in the child or the bytes.
  template <class Offset>
  size_t put_offsets(const ArrowArray& array) {
    static constexpr Offset kZero = 0;
    const auto* offsets = static_cast<const Offset*>(array.buffers[1]);
    if (offsets == nullptr) offsets = &kZero;  // allowed for an empty array
    const auto length = static_cast<size_t>(array.length);
    put(offsets, (length + 1) * sizeof(Offset));
    return static_cast<size_t>(offsets[length]);
  }

  void put(const void* data, size_t size) {
    buffers_.insert(buffers_.end(),
                    {static_cast<int64_t>(bytes_.size()), static_cast<int64_t>(size)});
    if (size > 0) bytes_.append(static_cast<const char*>(data), size);
    bytes_.resize(padded(bytes_.size()), '\0');
  }

  std::vector<int64_t> nodes_;    // length and null count of each array
  std::vector<int64_t> buffers_;  // offset and length of each buffer
  std::string bytes_;
};

}  // namespace

IpcStream::IpcStream(const ArrowSchema& schema) {
  const ColumnType row = read_column_type(schema);
  if (row.layout != Layout::kStruct) {
    fail(ErrorKind::kInvalid, "writing Arrow: the schema is not that of a table");
  }
  columns_ = row.children;
}

std::string IpcStream::schema_message() const {
  FlatBuilder builder;
  std::vector<FlatBuilder::Reference> fields;
  for (const ColumnType& column : columns_) fields.push_back(add_field(builder, column));
  const auto field_vector = builder.add_vector(fields);
  builder.begin_table();
  builder.set_reference(1, field_vector);
  builder.set<int16_t>(0, 0);  // little-endian
  const auto schema = builder.end_table();
  return encapsulate(builder, kHeaderIsSchema, schema, 0);
}

std::string IpcStream::batch_message(const ArrowArray& array) const {
  if (array.n_children != static_cast<int64_t>(columns_.size())) {
    fail(ErrorKind::kInvalid, "writing Arrow: a batch has {} columns, the schema {}",
         array.n_children, columns_.size());
  }
  Body body;
  for (size_t i = 0; i < columns_.size(); ++i) body.add(columns_[i], *array.children[i]);
  return body.message(array.length);
}

std::string_view IpcStream::end_of_stream() {
  static constexpr std::string_view kEnd("\xFF\xFF\xFF\xFF\0\0\0\0", 8);
  return kEnd;
}

}  // namespace headrace::arrow
