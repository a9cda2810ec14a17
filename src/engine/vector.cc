#include "engine/vector.h"

#include <duckdb.h>

#include "base/error.h"

namespace headrace::engine {

void* MutableVector::raw_data() { return duckdb_vector_get_data(handle_); }

void MutableVector::set_null(size_t row) {
  duckdb_vector_ensure_validity_writable(handle_);
  duckdb_validity_set_row_invalid(duckdb_vector_get_validity(handle_), row);
}

void MutableVector::set_string(size_t row, std::string_view text) {
  duckdb_unsafe_vector_assign_string_element_len(handle_, row, text.data(), text.size());
}

MutableVector MutableVector::list_child() {
  return MutableVector(duckdb_list_vector_get_child(handle_));
}

size_t MutableVector::list_size() const { return duckdb_list_vector_get_size(handle_); }

void MutableVector::set_list_size(size_t size) {
  if (duckdb_list_vector_reserve(handle_, size) == DuckDBError ||
      duckdb_list_vector_set_size(handle_, size) == DuckDBError) {
    fail(ErrorKind::kInternal, "growing a list column to {} elements failed", size);
  }
}

MutableVector MutableVector::struct_child(size_t index) {
  return MutableVector(duckdb_struct_vector_get_child(handle_, index));
}

MutableVector MutableChunk::column(size_t index) {
  return MutableVector(duckdb_data_chunk_get_vector(handle_, index));
}

size_t MutableChunk::column_count() const { return duckdb_data_chunk_get_column_count(handle_); }

void MutableChunk::set_size(size_t rows) { duckdb_data_chunk_set_size(handle_, rows); }

VectorView::VectorView(_duckdb_vector* handle)
    : handle_(handle),
      data_(duckdb_vector_get_data(handle)),
      validity_(duckdb_vector_get_validity(handle)) {}

std::string_view VectorView::string(size_t row) const {
  auto& text = static_cast<duckdb_string_t*>(data_)[row];
  return {duckdb_string_t_data(&text), duckdb_string_t_length(text)};
}

VectorView VectorView::list_child() const {
  return VectorView(duckdb_list_vector_get_child(handle_));
}

VectorView VectorView::struct_child(size_t index) const {
  return VectorView(duckdb_struct_vector_get_child(handle_, index));
}

VectorView Chunk::column(size_t index) const {
  return VectorView(duckdb_data_chunk_get_vector(handle_, index));
}

}  // namespace headrace::engine
