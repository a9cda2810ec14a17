#pragma once

// What other engines do to tables through the Iceberg REST catalog, told to those of ours who read
// and write the same tables. Thread use: any thread.

#include "iceberg_rest/outside_changes.h"
#include "tables/live_tables.h"
#include "views/views.h"

namespace headrace::app {

class OutsideCommits final : public iceberg_rest::OutsideChanges {
 public:
  OutsideCommits(tables::LiveTables& tables, views::Views& views)
      : tables_(tables), views_(views) {}

  void check_may_go(const lake::TableIdentifier& table) override;
  void gone(const lake::TableIdentifier& table) noexcept override;
  void committed(const std::vector<lake::TableIdentifier>& tables) noexcept override;

 private:
  tables::LiveTables& tables_;
  views::Views& views_;
};

}  // namespace headrace::app
