#include "views/testing/orders.h"

#include "base/format.h"
#include "lake/data_writer.h"
#include "lake/delete_function.h"
#include "lake/delete_reader.h"
#include "lake/row_deletes.h"
#include "lake/transform.h"

namespace headrace::views {

Orders::Orders(int format_version) : format_version_(format_version) {
  lake::CatalogOptions options;
  options.warehouse = directory_.path() + "/warehouse";
  catalog_ = lake::Catalog::open(*store_, *files_, clock_, random_, options);
  lake::register_transform_functions(database_);
  lake::register_delete_function(database_);
  connection_ = database_.connect();
  connection_->execute("SET TimeZone = 'UTC'");
  tables_ = std::make_unique<tables::LiveTables>(tables::LiveTables::Collaborators{
      database_, *catalog_, *files_, random_, nullptr, directory_.path() + "/keys"});
  open();
}

Orders::~Orders() = default;

void Orders::open() {
  tables::TargetSpec spec;
  spec.identifier = table();
  spec.columns = {{"id", "INTEGER"},
                  {"ts", "TIMESTAMP"},
                  {"country", "VARCHAR"},
                  {"amount", "INTEGER"},
                  {"price", "DECIMAL(10,2)"}};
  spec.upsert.primary_key = {"id"};
  spec.format_version = format_version_;
  tables_->open_target(spec);
}

void Orders::change(int changes, int keys, SeededRandom& random, int minutes) {
  std::vector<std::string> rows;
  for (int i = 0; i < changes; ++i) {
    const auto below = [&](uint64_t limit) { return random.next() % limit; };
    const std::string country =
        std::vector<std::string>{"'de'", "'fr'", "'it'", "'es'", "NULL"}[below(5)];
    const std::string amount = below(8) == 0 ? "NULL" : format("{}", below(30));
    rows.push_back(
        format("({}, TIMESTAMP '2026-01-01' + INTERVAL {} MINUTE, {}, {}, {}.25, {}, {})",
               below(keys), below(static_cast<uint64_t>(minutes)), country, amount, below(50),
               below(6) == 0 ? "true" : "false", i));
  }
  tables::LiveTables::ChangeBatch batch(*tables_, {table()});
  connection_->execute("BEGIN");
  const int64_t grown = batch.apply(
      *connection_, table(),
      {format("SELECT * FROM (VALUES {}) v(id, ts, country, amount, price, __deleted, place)",
              join(rows, ", ")),
       {"place DESC"}});
  connection_->execute("COMMIT");
  batch.keep();
  tables_->rows_added(table(), grown);
}

void Orders::commit() {
  seal();
  commit_sealed();
}

void Orders::seal() { sealed_ = tables_->seal({table()}, {}).at(0); }

void Orders::commit_sealed() {
  lake::TableChange change;
  change.base = tables_->find(table())->table;
  change.added = lake::write_data_files(*connection_, *catalog_, *files_, random_, *change.base,
                                        tables_->sealed_rows_sql(table(), sealed_->number));
  lake::DeleteFiles deletes =
      lake::delete_rows(*connection_, *catalog_, *files_, random_, *change.base, sealed_->deleted);
  change.added.insert(change.added.end(), deletes.added.begin(), deletes.added.end());
  change.removed = std::move(deletes.removed);
  change.operation = sealed_->deleted.empty() ? "append" : "overwrite";
  change.summary = {{"test", "1"}};  // a snapshot even without rows
  const lake::TablePtr committed = catalog_->commit({change}).at(0);
  std::vector<lake::DataFile> data;
  for (const lake::DataFile& file : change.added) {
    if (file.content == lake::FileContent::kData) data.push_back(file);
  }
  tables_->replace_committed({{committed, *sealed_, data, {}}});
  sealed_.reset();
}

void Orders::restart() {
  sealed_.reset();
  tables_->close_target(table());
  open();
}

void Orders::commit_outside(lake::TableChange change) {
  sealed_.reset();
  tables_->close_target(table());
  change.base = catalog_->load(table());
  catalog_->commit({change});
  open();
}

void Orders::compact() {
  sealed_.reset();
  tables_->close_target(table());
  lake::TableChange change;
  change.base = catalog_->load(table());
  change.removed = catalog_->files(*change.base);
  change.added = lake::write_data_files(*connection_, *catalog_, *files_, random_, *change.base,
                                        lake::scan_sql(*change.base, change.removed));
  change.operation = "replace";
  catalog_->commit({change});
  open();
}

void Orders::delete_outside(SeededRandom& random) {
  lake::TableChange change;
  const lake::TablePtr now = catalog_->load(table());
  lake::DeleteReader reader(database_);
  std::vector<lake::DeletedRows> deleted;
  for (const lake::DataFile& file : catalog_->files(*now)) {
    if (file.record_count == 0) continue;
    const lake::RowPositions rows(
        {static_cast<int64_t>(random.next() % static_cast<uint64_t>(file.record_count))});
    deleted.push_back({file, rows, rows});
    for (const auto& before : file.deletes) {
      if (const auto some = reader.read(*before, file.path)) deleted.back().all.add(*some);
    }
  }
  lake::DeleteFiles written =
      lake::delete_rows(*connection_, *catalog_, *files_, random_, *now, deleted);
  change.added = std::move(written.added);
  change.removed = std::move(written.removed);
  if (change.added.empty()) return;
  change.operation = "delete";
  commit_outside(std::move(change));
}

void Orders::remove_file_outside() {
  const std::vector<lake::DataFile> files = catalog_->files(*catalog_->load(table()));
  if (files.empty()) return;
  lake::TableChange change;
  change.removed = {files[0]};
  change.operation = "delete";
  commit_outside(std::move(change));
}

void Orders::set_regions(const std::string& values) {
  const lake::TableIdentifier regions = {"silver", "regions"};
  lake::TableChange change;
  change.base = catalog_->find(regions);
  if (!change.base) {
    change.base = catalog_->create(
        {regions, lake::make_schema({{"country", "VARCHAR"}, {"region", "VARCHAR"}}), {}, {}, ""});
  }
  change.removed = catalog_->files(*change.base);
  change.added =
      lake::write_data_files(*connection_, *catalog_, *files_, random_, *change.base,
                             format("SELECT * FROM (VALUES {}) v(country, region)", values));
  change.operation = "overwrite";
  catalog_->commit({change});
  tables_->refresh(regions);
}

std::vector<std::vector<std::optional<std::string>>> Orders::rows(const std::string& sql) {
  return connection_->query_rows(format("SELECT * FROM ({}) ORDER BY ALL", sql));
}

IncrementalView::Collaborators Orders::collaborators() {
  return {database_, *catalog_, *tables_, *files_, random_};
}

}  // namespace headrace::views
