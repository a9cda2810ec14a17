#pragma once

// Columns of a chunk, for reading results and for producing rows in table and scalar functions and
// the appender. Thin: each call is one call of the engine or a memory access.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct _duckdb_vector;
struct _duckdb_data_chunk;

namespace headrace::engine {

inline constexpr size_t kVectorSize = 2048;

struct Int128 {
  uint64_t low;
  int64_t high;
};

// A writable column. Write values through data<T>() or the setters; every row is valid until
// set_null. T by type: BOOLEAN bool, INTEGER and DATE int32_t (days), BIGINT and TIMESTAMP(TZ)
// int64_t (micros), DOUBLE double, UUID Int128 (upper bit flipped), DECIMAL int16/32/64 or Int128
// by width.
class MutableVector {
 public:
  explicit MutableVector(_duckdb_vector* handle) : handle_(handle) {}
  template <class T>
  T* data() {
    return static_cast<T*>(raw_data());
  }
  void set_null(size_t row);
  // `text` must be valid UTF-8 for VARCHAR; the bytes are copied.
  void set_string(size_t row, std::string_view text);
  // LIST: entries (offset, length) of rows live in data<ListEntry>(); the child holds all elements.
  struct ListEntry {
    uint64_t offset;
    uint64_t length;
  };
  MutableVector list_child();
  size_t list_size() const;
  void set_list_size(size_t size);  // reserves, too
  MutableVector struct_child(size_t index);

 private:
  void* raw_data();
  _duckdb_vector* handle_;
};

class MutableChunk {
 public:
  explicit MutableChunk(_duckdb_data_chunk* handle) : handle_(handle) {}
  MutableVector column(size_t index);
  size_t column_count() const;
  void set_size(size_t rows);

 private:
  _duckdb_data_chunk* handle_;
};

// A readable column. A MAP reads as a LIST of STRUCT(key, value).
class VectorView {
 public:
  explicit VectorView(_duckdb_vector* handle);
  bool is_null(size_t row) const {
    return validity_ != nullptr && (validity_[row / 64] >> (row % 64) & 1) == 0;
  }
  template <class T>
  const T* data() const {
    return static_cast<const T*>(data_);
  }
  std::string_view string(size_t row) const;  // VARCHAR, BLOB
  VectorView list_child() const;              // rows as data<MutableVector::ListEntry>() tells
  VectorView struct_child(size_t index) const;

 private:
  _duckdb_vector* handle_;
  void* data_;
  uint64_t* validity_;
};

class Chunk {
 public:
  Chunk(_duckdb_data_chunk* handle, size_t rows) : handle_(handle), rows_(rows) {}
  size_t rows() const { return rows_; }
  VectorView column(size_t index) const;

 private:
  _duckdb_data_chunk* handle_;
  size_t rows_;
};

}  // namespace headrace::engine
