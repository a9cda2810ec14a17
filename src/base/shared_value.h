#pragma once

// A value that never changes, so that its copies share it: for large parts of structures that are
// copied often, like the figures of a file's columns. To change one, assign another.
// Thread use: like a shared_ptr to const; what is shared may be read from any thread.

#include <memory>
#include <utility>

namespace headrace {

template <class T>
class SharedValue {
 public:
  SharedValue() = default;
  SharedValue(T value) : value_(std::make_shared<const T>(std::move(value))) {}

  const T& operator*() const { return value_ ? *value_ : none(); }
  const T* operator->() const { return &**this; }

  friend bool operator==(const SharedValue& a, const SharedValue& b) { return *a == *b; }

 private:
  static const T& none() {
    static const T value{};
    return value;
  }

  std::shared_ptr<const T> value_;  // null: a T without anything
};

}  // namespace headrace
