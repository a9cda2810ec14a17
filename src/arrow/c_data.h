#pragma once

// The two structs of the Arrow C data interface, whose layout is fixed by its specification
// (arrow.apache.org/docs/format/CDataInterface.html), and owners that release them.

#include <cstdint>

extern "C" {

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;  // -1: not counted
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

}  // extern "C"

namespace headrace::arrow {

inline constexpr int64_t kFlagDictionaryOrdered = 1;
inline constexpr int64_t kFlagNullable = 2;
inline constexpr int64_t kFlagMapKeysSorted = 4;

// Holds a struct that somebody else fills, and releases it.
template <class Struct>
class Owned {
 public:
  Owned() = default;
  ~Owned() { reset(); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  // To be filled; what was held is released.
  Struct* fill() {
    reset();
    return &value_;
  }
  const Struct& operator*() const { return value_; }
  const Struct* operator->() const { return &value_; }

 private:
  void reset() {
    if (value_.release != nullptr) value_.release(&value_);
    value_ = Struct{};
  }
  Struct value_{};
};

using OwnedSchema = Owned<ArrowSchema>;
using OwnedArray = Owned<ArrowArray>;

}  // namespace headrace::arrow
