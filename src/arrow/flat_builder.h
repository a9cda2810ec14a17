#pragma once

// Writes FlatBuffers (flatbuffers.dev/internals): as much as Arrow's metadata needs. The buffer
// grows from its end to its front, so that what is referred to is written first. References are
// distances from the end. Not thread-safe.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headrace::arrow {

class FlatBuilder {
 public:
  using Reference = uint32_t;

  Reference add_string(std::string_view text);
  Reference add_vector(const std::vector<Reference>& items);
  // A vector of structs of 64-bit integers: `integers` in order, `per_struct` of them each.
  Reference add_struct_vector(const std::vector<int64_t>& integers, size_t per_struct);

  // A table: begin, set fields by their id in the schema, end. No other add in between.
  void begin_table();
  template <class T>
  void set(uint16_t field, T value) {
    align(sizeof(T));
    push(&value, sizeof(T));
    fields_.emplace_back(field, size());
  }
  void set_reference(uint16_t field, Reference target);
  Reference end_table();

  // The finished buffer.
  std::string finish(Reference root);

 private:
  uint32_t size() const { return static_cast<uint32_t>(bytes_.size() - head_); }
  void push(const void* data, size_t count);
  template <class T>
  void push_value(T value) {
    push(&value, sizeof(T));
  }
  // Pads so that after `upcoming` more bytes the size is a multiple of `alignment`.
  void align(size_t alignment, size_t upcoming = 0);
  void push_reference(Reference target);

  std::vector<char> bytes_ = std::vector<char>(1024);
  size_t head_ = bytes_.size();
  size_t largest_alignment_ = 4;
  uint32_t table_start_ = 0;
  std::vector<std::pair<uint16_t, uint32_t>> fields_;
};

}  // namespace headrace::arrow
