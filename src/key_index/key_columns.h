#pragma once

// The columns that make a table's key, and the one that orders the changes of a key, as the index
// sees them: bytes that compare like the values and are different for different values.

#include <optional>
#include <string>
#include <vector>

#include "lake/types.h"

namespace headrace::key_index {

class KeyColumns {
 public:
  // invalid when a column is not there or its type cannot be a key (nested types, floating point)
  // or an order (nested types).
  KeyColumns(const lake::Schema& schema, std::vector<std::string> keys,
             const std::optional<std::string>& sequence);

  const std::vector<std::string>& keys() const { return keys_; }
  const std::optional<std::string>& sequence() const { return sequence_; }

  // SQL of the bytes of a row whose columns have the types of the schema; `row`: its alias.
  std::string key_sql(const std::string& row) const;
  std::string sequence_sql(const std::string& row) const;  // an empty BLOB without a sequence
  // Tells whether bytes were made in the same way: names and types, by field id.
  std::string fingerprint() const;

 private:
  std::vector<std::string> keys_;
  std::optional<std::string> sequence_;
  std::string fingerprint_;
};

}  // namespace headrace::key_index
