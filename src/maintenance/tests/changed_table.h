#pragma once

// A table that is changed by key by the writer of a job, step by step on the caller's thread, so
// that one seed gives one course of events. Everything that a process keeps in memory can be
// dropped.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/database.h"
#include "jobs/writer.h"
#include "lake/data_writer.h"
#include "lake/delete_function.h"
#include "lake/testing/temporary_directory.h"
#include "lake/transform.h"
#include "maintenance/merge.h"
#include "maintenance/tests/table_model.h"
#include "maintenance/tests/watched_file_system.h"
#include "store/metadata_store.h"
#include "tables/live_tables.h"

namespace headrace::maintenance {

class ChangedTable {
 public:
  ChangedTable(uint64_t seed, std::vector<std::string> partition_by, int format_version = 2)
      : random(seed),
        partition_by_(std::move(partition_by)),
        format_version_(format_version),
        store_(store::make_memory_store()) {
    open_process();
  }
  ~ChangedTable() { drop_process(); }
  ChangedTable(const ChangedTable&) = delete;
  ChangedTable& operator=(const ChangedTable&) = delete;

  static lake::TableIdentifier identifier() { return {"silver", "model"}; }

  void open_process() {
    catalog_ = lake::Catalog::open(*store_, file_system, clock, random, catalog_options());
    database_ = open_engine(false);
    upkeep_database_ = open_engine(true);
    tables_ = std::make_unique<tables::LiveTables>(tables::LiveTables::Collaborators{
        *database_, *catalog_, file_system, random, nullptr, key_directory()});
    tables_->load_all();
    connection_ = database_->connect();
  }
  // As a crash does.
  void drop_process() {
    end_job();
    connection_.reset();
    tables_.reset();
    upkeep_database_.reset();
    database_.reset();
    catalog_.reset();
  }

  // A job that begins runs again what is not committed.
  void begin_job() {
    writer_.emplace(
        jobs::JobWriter::Collaborators{*database_, *catalog_, *tables_, file_system, random}, job(),
        std::map<std::string, std::vector<stream::Offset>>());
    const auto& committed = writer_->targets().front().committed;
    const Json* reached = committed ? committed->input("model") : nullptr;
    run_ = reached == nullptr ? 0 : reached->to_number<size_t>();
    while (run_ < model.batch_count()) run_next();
  }
  void end_job() {
    sealed_.reset();
    writer_.reset();
  }
  bool has_job() const { return writer_.has_value(); }
  bool is_moved() { return tables_->are_moved({identifier()}); }

  void run_batch(const TableModel::Batch& batch) {
    model.take(batch);
    run_next();
  }

  bool is_sealed() const { return sealed_.has_value(); }
  void seal() {
    tables::Positions positions;
    positions.set_input("model", run_);
    sealed_ = writer_->seal(positions);
    sealed_batches_ = run_;
  }
  // Throws as JobWriter::commit does.
  void commit() {
    const auto before = table()->metadata.current_snapshot_id;
    try {
      writer_->commit(*sealed_);
    } catch (const jobs::TableMoved&) {
      take_commit_into_model(before);
      throw;
    }
    take_commit_into_model(before);
    sealed_.reset();
  }

  lake::TablePtr table() { return catalog_->load(identifier()); }
  std::vector<lake::DataFile> data_files() { return catalog_->files(*table()); }
  // Columns after id and amount: the job's struct, and those that it does not fill.
  std::vector<lake::Field> other_columns() {
    std::vector<lake::Field> fields = table()->metadata.current_schema().fields;
    fields.erase(fields.begin(), fields.begin() + 2);
    return fields;
  }

  std::vector<std::string> rows_of(const std::string& relation) {
    std::vector<std::string> texts;
    for (const auto& row :
         connection_->query_rows(format("SELECT * FROM {} ORDER BY id", relation))) {
      std::string text;
      for (const auto& value : row) text += (text.empty() ? "" : "|") + value.value_or("NULL");
      texts.push_back(std::move(text));
    }
    return texts;
  }
  // As SQL shows it.
  std::vector<std::string> rows() { return rows_of("silver.model"); }
  // As the committed files say.
  std::vector<std::string> committed_rows() {
    const lake::TablePtr now = table();
    return rows_of(format("({})", lake::scan_sql(*now, catalog_->files(*now))));
  }
  // Of format version 3: which row has which id, and what changed it last, as the files say.
  std::map<std::string, std::string> lineage() {
    std::map<std::string, std::string> texts;
    const lake::TablePtr now = table();
    for (const auto& row : connection_->query_rows(
             format("SELECT id, _row_id, _last_updated_sequence_number FROM ({})",
                    lake::scan_moving_rows_sql(*now, catalog_->files(*now))))) {
      texts[row[0].value_or("")] = format("{} {}", row[1].value_or(""), row[2].value_or(""));
    }
    return texts;
  }
  // No two rows have one id, and none has one that is still to be given.
  bool has_right_ids() {
    const lake::TablePtr now = table();
    const lake::Snapshot* snapshot = now->metadata.current_snapshot();
    if (snapshot == nullptr || !snapshot->first_row_id) return true;
    return connection_->query_value(format(
               "SELECT count(*) = count(DISTINCT _row_id) AND coalesce(max(_row_id), -1) < {} FROM "
               "({})",
               now->metadata.next_row_id,
               lake::scan_moving_rows_sql(*now, catalog_->files(*now)))) == "true";
  }
  std::vector<std::string> expected(const TableModel::Rows& rows) {
    return TableModel::texts(rows, other_columns());
  }

  // For work beside the job, which never waits for it here.
  MergeCollaborators upkeep() {
    return {*upkeep_database_, *catalog_, file_system, random, tables_.get(), milliseconds(0)};
  }

  // Another process over the same store.
  std::unique_ptr<lake::Catalog> another_catalog() {
    return lake::Catalog::open(*store_, file_system, clock, random, catalog_options());
  }
  lake::Catalog& catalog() { return *catalog_; }
  tables::LiveTables& tables() { return *tables_; }
  engine::Connection& connection() { return *connection_; }
  engine::Database& engine() { return *database_; }
  std::string key_directory() const { return directory_.path() + "/keys"; }

  WatchedFileSystem file_system;
  SystemClock clock;
  SeededRandom random;
  TableModel model;

 private:
  lake::CatalogOptions catalog_options() const {
    lake::CatalogOptions options;
    options.warehouse = directory_.path() + "/warehouse";
    options.merge_manifests_at = 6;
    return options;
  }

  static std::unique_ptr<engine::Database> open_engine(bool keeps_order) {
    engine::DatabaseOptions options;
    options.threads = 1;
    options.preserve_insertion_order = keeps_order;
    auto database = std::make_unique<engine::Database>(options);
    lake::register_transform_functions(*database);
    lake::register_delete_function(*database);
    return database;
  }

  jobs::CompiledJob job() const {
    jobs::CompiledTarget target;
    target.node = "out";
    target.need.table = identifier();
    target.need.upsert.primary_key = {"id"};
    target.need.partition_by = partition_by_;
    target.need.format_version = format_version_;
    target.columns = {{"id", "BIGINT"}, {"amount", "BIGINT"}, {"s", "STRUCT(x BIGINT, y BIGINT)"}};
    target.select =
        "SELECT id, amount, {'x': amount, 'y': -amount} AS s, __deleted, n FROM temp.changes";
    target.latest_first = {"n DESC"};
    jobs::CompiledJob job;
    job.name = "model";
    job.targets = {target};
    return job;
  }

  // The next batch that the table has not.
  void run_next() {
    std::vector<std::string> values;
    for (const ModelChange& change : model.batch(run_)) {
      values.push_back(format("({}::BIGINT, {}::BIGINT, {}, {})", change.id, change.amount,
                              change.deletes, values.size()));
    }
    connection_->execute(
        format("CREATE OR REPLACE TEMP TABLE changes AS SELECT * FROM (VALUES {}) "
               "t(id, amount, __deleted, n)",
               join(values, ", ")));
    std::vector<std::pair<lake::TableIdentifier, int64_t>> grown;
    {
      tables::LiveTables::ChangeBatch changes(*tables_, writer_->upserts());
      connection_->execute("BEGIN");
      grown = writer_->insert(*connection_, changes);
      connection_->execute("COMMIT");
      changes.keep();
    }
    for (const auto& [grown_table, rows] : grown) tables_->rows_added(grown_table, rows);
    ++run_;
  }

  void take_commit_into_model(std::optional<lake::SnapshotId> before) {
    file_system.fail_in(0);  // the test's own look is not what may fail
    const auto now = table()->metadata.current_snapshot_id;
    if (now && now != before) model.commit(*now, sealed_batches_);
  }

  lake::TemporaryDirectory directory_{"headrace-model"};
  std::vector<std::string> partition_by_;
  const int format_version_;
  std::unique_ptr<store::MetadataStore> store_;
  std::unique_ptr<lake::Catalog> catalog_;
  std::unique_ptr<engine::Database> database_;
  std::unique_ptr<engine::Database> upkeep_database_;
  std::unique_ptr<tables::LiveTables> tables_;
  std::unique_ptr<engine::Connection> connection_;
  std::optional<jobs::JobWriter> writer_;
  std::optional<jobs::SealedWork> sealed_;
  size_t run_ = 0;  // batches that are in the table, hot or not
  size_t sealed_batches_ = 0;
};

}  // namespace headrace::maintenance
