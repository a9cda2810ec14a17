#pragma once

// Who must know of what other engines do to tables. The composition root implements it.
// Thread use: any thread.

#include <vector>

#include "lake/table.h"

namespace headrace::iceberg_rest {

class OutsideChanges {
 public:
  virtual ~OutsideChanges() = default;
  // Before a table is dropped or renamed: denied while something of ours stands on it.
  virtual void check_may_go(const lake::TableIdentifier& table) = 0;
  virtual void gone(const lake::TableIdentifier& table) noexcept = 0;
  // New, or with a new snapshot: when it returns, SQL sees it.
  virtual void committed(const std::vector<lake::TableIdentifier>& tables) noexcept = 0;
};

}  // namespace headrace::iceberg_rest
