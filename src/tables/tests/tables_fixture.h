#pragma once

// A log, a catalog, an engine and live tables over them, written to as a job does.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "lake/testing/lake_fixture.h"
#include "stream/testing/log_fixture.h"
#include "tables/live_tables.h"
#include "tables/record_columns.h"

namespace headrace::tables {

class TablesTest : public testing::Test {
 protected:
  using Rows = std::vector<std::vector<std::optional<std::string>>>;
  using RawNext = std::map<std::string, std::vector<stream::Offset>>;

  // An engine with live tables of its own over the same catalog and log: another process.
  struct Process {
    explicit Process(TablesTest& test)
        : tables({database, *test.lake_.catalog, *test.lake_.files, test.lake_.random,
                  &test.stream_.log()}) {
      database.register_function(make_topic_function(test.stream_.log()));
      connection = database.connect();
    }
    engine::Database database;
    LiveTables tables;
    std::unique_ptr<engine::Connection> connection;
  };

  TablesTest() {
    stream_.open();
    process_ = std::make_unique<Process>(*this);
  }

  LiveTables& tables() { return process_->tables; }
  engine::Connection& connection() { return *process_->connection; }

  static TargetSpec target(const std::string& name) {
    TargetSpec spec;
    spec.identifier = {"silver", name};
    spec.columns = {{"id", "BIGINT"}, {"name", "VARCHAR"}};
    return spec;
  }
  static TargetSpec raw_target(const std::string& topic) {
    TargetSpec spec;
    spec.identifier = {"bronze", topic};
    spec.columns = record_columns();
    spec.raw_topic = topic;
    return spec;
  }

  // `count` rows with ids from `first` on, into all tables in one transaction.
  void insert(const std::vector<lake::TableIdentifier>& into, int first, int count) {
    connection().execute("BEGIN");
    for (const auto& identifier : into) {
      connection().execute(format("INSERT INTO {} SELECT i, 'n' || i FROM range({}, {}) AS r(i)",
                                  tables().hot_name(identifier), first, first + count));
    }
    connection().execute("COMMIT");
    for (const auto& identifier : into) tables().rows_added(identifier, count);
  }

  // What was sealed, written to files and committed, but not yet taken up by SQL.
  std::vector<LiveTables::CommittedTable> write_and_commit(
      const std::vector<lake::TableIdentifier>& identifiers,
      const std::vector<SealedGeneration>& sealed) {
    std::vector<lake::TableChange> changes;
    for (size_t i = 0; i < identifiers.size(); ++i) {
      const TableState state = *tables().find(identifiers[i]);
      lake::TableChange change;
      change.base = state.table;
      std::string from = LiveTables::hot_name(identifiers[i], sealed[i].number);
      if (state.raw_topic) {
        from = topic_sql(*state.raw_topic, sealed[i].raw_range);
        Positions positions;
        std::vector<stream::Offset> next;
        for (const OffsetRange& range : sealed[i].raw_range) next.push_back(*range.to);
        positions.set_topic(*state.raw_topic, next);
        change.summary[kPositionsKey] = positions.to_text();
      }
      change.added = lake::write_data_files(connection(), *lake_.catalog, *lake_.files,
                                            lake_.random, *change.base, "SELECT * FROM " + from);
      changes.push_back(std::move(change));
    }
    const auto committed = lake_.catalog->commit(changes);
    std::vector<LiveTables::CommittedTable> result;
    for (size_t i = 0; i < identifiers.size(); ++i) {
      result.push_back({committed[i], sealed[i], changes[i].added, {}});
    }
    return result;
  }

  void commit(const std::vector<lake::TableIdentifier>& identifiers, const RawNext& raw_next = {}) {
    tables().replace_committed(write_and_commit(identifiers, tables().seal(identifiers, raw_next)));
  }

  // A snapshot that this process knows nothing of, as another engine would make it.
  lake::TablePtr commit_from_outside(const lake::TableIdentifier& identifier,
                                     const std::string& select) {
    lake::TableChange change;
    change.base = lake_.catalog->load(identifier);
    change.added = lake::write_data_files(connection(), *lake_.catalog, *lake_.files, lake_.random,
                                          *change.base, select);
    return lake_.catalog->commit({change}).at(0);
  }

  int64_t count(const std::string& relation) {
    return connection().query_integer("SELECT count(*) FROM " + relation);
  }
  // How many tables of hot rows the engine holds.
  int64_t hot_tables() { return count("duckdb_tables() WHERE schema_name = 'hot'"); }
  Rows rows(const std::string& sql) { return connection().query_rows(sql); }

  stream::LogFixture stream_;
  lake::LakeFixture lake_;
  std::unique_ptr<Process> process_;
};

}  // namespace headrace::tables
