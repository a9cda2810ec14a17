#pragma once

// A lake with one live table with a primary key, silver.orders (id, ts, country, amount, price),
// that a test changes and commits as a job does.

#include <memory>
#include <string>
#include <vector>

#include "lake/testing/lake_fixture.h"
#include "views/incremental_view.h"

namespace headrace::views {

class Orders {
 public:
  // `format_version`: of Iceberg, of the table.
  explicit Orders(int format_version = 2);
  ~Orders();

  // Changes of some of the first `keys` orders, all in one batch; some of them delete. Their times
  // are in the first `minutes` of a day.
  void change(int changes, int keys, SeededRandom& random, int minutes = 600);
  // Hot rows into files and the catalog; and its two halves, with more changes between them.
  void commit();
  void seal();
  void commit_sealed();
  bool is_sealed() const { return sealed_.has_value(); }
  // As after a kill: hot rows are lost.
  void restart();
  // While no job writes: all files in one, by "replace".
  void compact();
  // And by another engine: some rows of each file deleted, or one file taken away.
  void delete_outside(SeededRandom& random);
  void remove_file_outside();

  // The whole content of silver.regions (country, region), committed.
  void set_regions(const std::string& values);

  std::vector<std::vector<std::optional<std::string>>> rows(const std::string& sql);

  IncrementalView::Collaborators collaborators();
  lake::Catalog& catalog() { return *catalog_; }
  tables::LiveTables& tables() { return *tables_; }
  engine::Database& database() { return database_; }

  static lake::TableIdentifier table() { return {"silver", "orders"}; }

 private:
  void open();
  void commit_outside(lake::TableChange change);

  const int format_version_;
  lake::TemporaryDirectory directory_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  SystemClock clock_;
  SeededRandom random_{42};
  std::unique_ptr<store::MetadataStore> store_ = store::make_memory_store();
  std::unique_ptr<lake::Catalog> catalog_;
  engine::Database database_;
  std::unique_ptr<engine::Connection> connection_;
  std::unique_ptr<tables::LiveTables> tables_;
  std::optional<tables::SealedGeneration> sealed_;
};

}  // namespace headrace::views
