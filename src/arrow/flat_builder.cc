#include "arrow/flat_builder.h"

#include <algorithm>

namespace headrace::arrow {

void FlatBuilder::push(const void* data, size_t count) {
  if (head_ < count) {
    std::vector<char> larger(bytes_.size() * 2 + count);
    const size_t new_head = larger.size() - size();
    std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(head_), bytes_.end(),
              larger.begin() + static_cast<std::ptrdiff_t>(new_head));
    bytes_ = std::move(larger);
    head_ = new_head;
  }
  head_ -= count;
  if (count > 0) std::memcpy(bytes_.data() + head_, data, count);
}

void FlatBuilder::align(size_t alignment, size_t upcoming) {
  largest_alignment_ = std::max(largest_alignment_, alignment);
  while ((size() + upcoming) % alignment != 0) push_value<char>(0);
}

void FlatBuilder::push_reference(Reference target) {
  align(4);
  push_value<uint32_t>(size() + 4 - target);
}

FlatBuilder::Reference FlatBuilder::add_string(std::string_view text) {
  align(4, text.size() + 1);
  push_value<char>(0);
  push(text.data(), text.size());
  push_value(static_cast<uint32_t>(text.size()));
  return size();
}

FlatBuilder::Reference FlatBuilder::add_vector(const std::vector<Reference>& items) {
  align(4, items.size() * 4);
  for (auto item = items.rbegin(); item != items.rend(); ++item) push_reference(*item);
  push_value(static_cast<uint32_t>(items.size()));
  return size();
}

FlatBuilder::Reference FlatBuilder::add_struct_vector(const std::vector<int64_t>& integers,
                                                      size_t per_struct) {
  align(8, integers.size() * 8);
  push(integers.data(), integers.size() * 8);
  push_value(static_cast<uint32_t>(integers.size() / per_struct));
  return size();
}

void FlatBuilder::begin_table() {
  fields_.clear();
  table_start_ = size();
}

void FlatBuilder::set_reference(uint16_t field, Reference target) {
  push_reference(target);
  fields_.emplace_back(field, size());
}

FlatBuilder::Reference FlatBuilder::end_table() {
  align(4);
  push_value<int32_t>(0);  // the distance to the vtable, known below
  const uint32_t table = size();
  uint16_t slots = 0;
  for (const auto& [field, at] : fields_) slots = std::max<uint16_t>(slots, field + 1);
  std::vector<uint16_t> vtable(slots + 2U, 0);
  vtable[0] = static_cast<uint16_t>(vtable.size() * 2);
  vtable[1] = static_cast<uint16_t>(table - table_start_);
  for (const auto& [field, at] : fields_) vtable[field + 2U] = static_cast<uint16_t>(table - at);
  push(vtable.data(), vtable.size() * 2);
  const auto distance = static_cast<int32_t>(size() - table);
  std::memcpy(bytes_.data() + bytes_.size() - table, &distance, sizeof distance);
  return table;
}

std::string FlatBuilder::finish(Reference root) {
  align(largest_alignment_, 4);
  push_reference(root);
  return std::string(bytes_.begin() + static_cast<std::ptrdiff_t>(head_), bytes_.end());
}

}  // namespace headrace::arrow
