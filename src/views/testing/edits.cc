#include "views/testing/edits.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/format.h"
#include "lake/data_writer.h"
#include "lake/delete_function.h"
#include "lake/delete_writer.h"
#include "lake/transform.h"

namespace headrace::views {

Edits::Edits() {
  catalog_ = open_catalog(*files_);
  lake::register_transform_functions(database_);
  lake::register_delete_function(database_);
  connection_ = database_.connect();
  connection_->execute("SET TimeZone = 'UTC'");
  connection_->execute("SELECT setseed(0.25)");
  tables_ = std::make_unique<tables::LiveTables>(
      tables::LiveTables::Collaborators{database_, *catalog_, *files_, random_, nullptr});
  tables::TargetSpec spec;
  spec.identifier = table();
  spec.columns = {{"ts", "TIMESTAMP"}, {"country", "VARCHAR"}, {"amount", "INTEGER"}};
  tables_->open_target(spec);
}

Edits::~Edits() = default;

std::unique_ptr<lake::Catalog> Edits::open_catalog(FileSystem& files) {
  lake::CatalogOptions options;
  options.warehouse = directory_.path() + "/warehouse";
  options.keep_snapshots = kMaxSnapshots;
  options.max_snapshots = kMaxSnapshots;
  return lake::Catalog::open(*store_, files, clock_, random_, options);
}

void Edits::insert_select(const std::string& select, int rows) {
  connection_->execute(format("INSERT INTO {} {}", tables_->hot_name(table()), select));
  tables_->rows_added(table(), rows);
}

void Edits::insert(int rows, int hour) {
  insert_select(
      format(
          "SELECT TIMESTAMP '2015-09-12' + INTERVAL ({}) HOUR + INTERVAL (random() * 180) MINUTE, "
          "['de', 'fr', 'it', NULL][1 + (random() * 3.99)::INTEGER % 4], "
          "CASE WHEN random() < 0.1 THEN NULL ELSE (random() * 100)::INTEGER END "
          "FROM range({})",
          hour, rows),
      rows);
}

void Edits::insert_distinct(int rows, int first) {
  insert_select(format("SELECT TIMESTAMP '2015-09-12' + INTERVAL (i) SECOND, 'de', i::INTEGER "
                       "FROM range({}, {}) AS r(i)",
                       first, first + rows),
                rows);
}

void Edits::commit() {
  const auto sealed = tables_->seal({table()}, {}).at(0);
  lake::TableChange change;
  change.base = tables_->find(table())->table;
  change.added = lake::write_data_files(
      *connection_, *catalog_, *files_, random_, *change.base,
      "SELECT * FROM " + tables::LiveTables::hot_name(table(), sealed.number));
  change.summary = {{"test", "1"}};  // a snapshot even without rows
  const lake::TablePtr committed = catalog_->commit({change}).at(0);
  tables_->replace_committed({{committed, sealed, change.added, {}}});
}

void Edits::commit_outside(lake::TableChange change) {
  change.base = catalog_->load(table());
  change.operation = "delete";
  catalog_->commit({change});
  tables_->refresh(table());
}

void Edits::delete_outside(SeededRandom& random) {
  lake::TableChange change;
  const lake::TablePtr now = catalog_->load(table());
  for (const lake::DataFile& file : catalog_->files(*now)) {
    if (file.record_count == 0 || random.next() % 2 == 0) continue;
    const lake::RowPositions rows(
        {static_cast<int64_t>(random.next() % static_cast<uint64_t>(file.record_count))});
    change.added.push_back(
        lake::write_position_deletes(*connection_, *catalog_, *files_, random_, *now, file, rows));
  }
  if (!change.added.empty()) commit_outside(std::move(change));
}

void Edits::remove_file_outside() {
  const std::vector<lake::DataFile> files = catalog_->files(*catalog_->load(table()));
  if (files.empty()) return;
  lake::TableChange change;
  change.removed = {files[0]};
  commit_outside(std::move(change));
}

std::vector<std::vector<std::optional<std::string>>> Edits::rows(const std::string& sql) {
  return connection_->query_rows(format("SELECT * FROM ({}) ORDER BY ALL", sql));
}

IncrementalView::Collaborators Edits::collaborators() {
  return {database_, *catalog_, *tables_, *files_, random_};
}

bool try_update(IncrementalView& view) {
  try {
    view.update();
    return true;
  } catch (const Error& error) {
    EXPECT_NE(error.kind(), ErrorKind::kInternal) << error.message();
    return false;
  }
}

}  // namespace headrace::views
