#pragma once

// A lake with one live table, silver.edits (ts, country, amount), that a test inserts into and
// commits as a job does.

#include <memory>
#include <string>
#include <vector>

#include "lake/testing/lake_fixture.h"
#include "views/incremental_view.h"

namespace headrace::views {

class Edits {
 public:
  static constexpr int kMaxSnapshots = 12;

  Edits();
  ~Edits();

  // Hot rows of random countries and amounts, at random times from this hour to three hours later.
  void insert(int rows, int hour);
  // Rows that are all their own group, one a second, from second `first` on.
  void insert_distinct(int rows, int first);
  // What a SELECT of ts, country and amount gives.
  void insert_rows(const std::string& select, int rows) { insert_select(select, rows); }
  // Hot rows into files and the catalog.
  void commit();

  // By another engine: some rows of each file deleted, or one file taken away.
  void delete_outside(SeededRandom& random);
  void remove_file_outside();

  std::vector<std::vector<std::optional<std::string>>> rows(const std::string& sql);

  IncrementalView::Collaborators collaborators();
  lake::Catalog& catalog() { return *catalog_; }
  tables::LiveTables& tables() { return *tables_; }
  engine::Database& database() { return database_; }
  FileSystem& files() { return *files_; }
  Clock& clock() { return clock_; }
  // Another one over the same tables.
  std::unique_ptr<lake::Catalog> open_catalog(FileSystem& files);

  static lake::TableIdentifier table() { return {"silver", "edits"}; }

 private:
  void insert_select(const std::string& select, int rows);
  void commit_outside(lake::TableChange change);

  lake::TemporaryDirectory directory_;
  std::unique_ptr<FileSystem> files_ = make_posix_file_system();
  SystemClock clock_;
  SeededRandom random_{42};
  std::unique_ptr<store::MetadataStore> store_ = store::make_memory_store();
  std::unique_ptr<lake::Catalog> catalog_;
  engine::Database database_;
  std::unique_ptr<engine::Connection> connection_;
  std::unique_ptr<tables::LiveTables> tables_;
};

// For fault loops: false when something failed, which is no fault of ours.
bool try_update(IncrementalView& view);

}  // namespace headrace::views
