#pragma once

// Writes parsed values into a column of a given type. A record is all or nothing: NULLs are noted
// while it is parsed and applied when it is kept, so that a record that fails midway leaves no
// trace in its row.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/vector.h"
#include "lake/types.h"

namespace headrace::jobs::parse {

// The NULLs of the record at work.
class PendingNulls {
 public:
  void add(const engine::MutableVector& vector, size_t row) { nulls_.emplace_back(vector, row); }
  void apply() {
    for (auto& [vector, row] : nulls_) vector.set_null(row);
    nulls_.clear();
  }
  void discard() { nulls_.clear(); }
  // What was added since is forgotten.
  size_t mark() const { return nulls_.size(); }
  void rewind(size_t mark) {
    nulls_.erase(nulls_.begin() + static_cast<int64_t>(mark), nulls_.end());
  }

 private:
  std::vector<std::pair<engine::MutableVector, size_t>> nulls_;
};

// Writes text as a value of a scalar type. False: it is no such value.
bool write_text_value(const lake::Type& type, std::string_view text, engine::MutableVector& vector,
                      size_t row);

// The types that a parse node can give; empty when the type is one of them, else what is wrong.
std::string complain_about_type(const lake::Type& type);

}  // namespace headrace::jobs::parse
