#pragma once

// What LiveTables holds, for the files it is made of. Private to this module.

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "tables/live_tables.h"

namespace headrace::tables {

using lake::TableIdentifier;

inline std::string hot_table_name(const TableIdentifier& identifier, int64_t generation) {
  return format("{}#{}", identifier.to_string(), generation);
}

inline std::string superseded_name(const TableIdentifier& identifier, int64_t generation) {
  return engine::quote_name("hot", hot_table_name(identifier, generation) + "#superseded");
}

inline std::string version_macro(const TableIdentifier& identifier) {
  return engine::quote_name("hot", identifier.to_string() + "#version");
}

// Of rows r as the job writes them, the columns that the table has now: another engine may have
// changed them meanwhile.
inline std::string columns_now(const TableState& table) {
  const lake::Schema& now = table.table->metadata.current_schema();
  std::vector<std::string> columns;
  for (const lake::Field& field : now.fields) {
    const lake::Field* hot =
        table.hot_schema.fields.empty() ? &field : table.hot_schema.find_id(field.id);
    columns.push_back(format("{} AS {}", hot ? "r." + engine::quote_identifier(hot->name) : "NULL",
                             engine::quote_identifier(field.name)));
  }
  return format("{}", join(columns, ", "));
}

struct LiveTables::State {
  explicit State(const Collaborators& given)
      : collaborators(given), connection(given.database.connect()) {}

  TableState& at(const TableIdentifier& identifier) {
    const auto found = tables.find(identifier);
    if (found == tables.end())
      fail(ErrorKind::kNotFound, "there is no table {}", identifier.to_string());
    return found->second;
  }

  int64_t newest_generation(const TableIdentifier& identifier) {
    const TableState& live = at(identifier);
    if (live.generations.empty())
      fail(ErrorKind::kInternal, "table {} has no hot rows", identifier.to_string());
    return live.generations.back();
  }

  // Runs the statements in one engine transaction.
  void run(const std::vector<std::string>& statements) {
    connection->execute("BEGIN");
    try {
      for (const std::string& statement : statements) connection->execute(statement);
      connection->execute("COMMIT");
    } catch (...) {
      connection->execute("ROLLBACK");
      throw;
    }
  }

  std::string hot_relations(const TableIdentifier& identifier, const TableState& table) const {
    std::string sql;
    if (table.raw_topic) {
      std::vector<OffsetRange> ranges;
      for (const stream::Offset offset : table.raw_committed)
        ranges.push_back({offset, std::nullopt});
      if (!ranges.empty()) {
        sql += format(" UNION ALL SELECT {} FROM {} r", columns_now(table),
                      topic_sql(*table.raw_topic, ranges));
      }
    }
    for (const int64_t generation : table.generations) {
      sql += " UNION ALL " + hot_relation(identifier, table, generation);
    }
    return sql;
  }

  std::string hot_relation(const TableIdentifier& identifier, const TableState& table,
                           int64_t generation) const {
    std::string sql =
        format("SELECT {} FROM {} r", columns_now(table), hot_name(identifier, generation));
    if (!table.is_upsert) return sql;
    if (generation != table.generations.back()) {
      sql += format(" ANTI JOIN {} s ON {}", superseded_name(identifier, generation),
                    same_keys(upserts.at(identifier)->columns().keys(), "r", "s"));
    }
    return format("{} WHERE NOT r.{}", sql, kDeletedColumn);
  }

  std::vector<std::string> definition(const TableIdentifier& identifier) {
    const TableState& table = at(identifier);
    return {format("CREATE SCHEMA IF NOT EXISTS {}", engine::quote_identifier(identifier.database)),
            format("CREATE OR REPLACE VIEW {} AS SELECT * FROM ({}){}",
                   engine::quote_name(identifier.database, identifier.name),
                   lake::scan_sql(*table.table, *table.files), hot_relations(identifier, table))};
  }

  // The view of a table and of all that depend on it.
  void append_definitions(const TableIdentifier& identifier, std::vector<std::string>& statements) {
    const auto owner = owners.find(identifier);
    for (std::string& statement :
         owner == owners.end() ? definition(identifier) : owner->second->definition())
      statements.push_back(std::move(statement));
    const auto found = dependents.find(identifier);
    if (found == dependents.end()) return;
    for (Dependent* dependent : found->second) {
      for (std::string& statement : dependent->definition())
        statements.push_back(std::move(statement));
    }
  }

  std::string hot_table_ddl(const TableIdentifier& identifier, const TableState& table,
                            int64_t generation) const {
    std::string columns;
    for (const lake::Field& field : table.hot_schema.fields) {
      if (!columns.empty()) columns += ", ";
      columns += engine::quote_identifier(field.name) + " " + lake::to_duckdb(field.type);
    }
    if (table.is_upsert) columns += format(", {} BOOLEAN", kDeletedColumn);
    return format("CREATE TABLE {} ({})", hot_name(identifier, generation), columns);
  }

  // Keys of a sealed generation that changed again.
  std::string superseded_ddl(const TableIdentifier& identifier, int64_t generation) const {
    std::vector<std::string> keys;
    for (const std::string& key : upserts.at(identifier)->columns().keys()) {
      keys.push_back(engine::quote_identifier(key));
    }
    return format("CREATE TABLE {} AS SELECT {} FROM {} LIMIT 0",
                  superseded_name(identifier, generation), join(keys, ", "),
                  hot_name(identifier, generation));
  }

  UpsertTable::HotTables hot_tables(const TableIdentifier& identifier) {
    const std::vector<int64_t>& generations = at(identifier).generations;
    UpsertTable::HotTables hot{hot_name(identifier, generations.back()), "", ""};
    if (generations.size() > 1) {
      hot.sealed = hot_name(identifier, generations.front());
      hot.superseded = superseded_name(identifier, generations.front());
    }
    return hot;
  }

  // Makes SQL show this state of a table, unless it shows a newer one.
  void take_up(const lake::TablePtr& table,
               std::shared_ptr<const std::vector<lake::DataFile>> files) {
    TableState& live = tables[table->identifier];
    if (live.table && live.table->catalog_version >= table->catalog_version) return;
    if (live.is_committing) {
      live.refresh_wanted = true;
      return;
    }
    if (live.is_upsert) {
      // Its hot rows and positions go with the files that it has; its job opens it again.
      upserts.at(table->identifier)->set_moved();
      return;
    }
    const TableState before = live;
    live.table = table;
    live.files = std::move(files);
    ++live.version;
    try {
      std::vector<std::string> statements;
      append_definitions(table->identifier, statements);
      run(statements);
    } catch (...) {
      live = before;
      if (!before.table) tables.erase(table->identifier);
      throw;
    }
  }

  Collaborators collaborators;
  std::mutex mutex;
  std::condition_variable taken_up;  // a commit from outside that had to wait
  std::unique_ptr<engine::Connection> connection;
  std::map<TableIdentifier, TableState> tables;
  std::map<TableIdentifier, std::vector<Dependent*>> dependents;
  std::map<TableIdentifier, Dependent*> owners;  // of tables whose view is somebody else's
  std::map<TableIdentifier, std::shared_ptr<UpsertTable>> upserts;
  int64_t next_generation = 1;
};

inline std::shared_ptr<const std::vector<lake::DataFile>> live_files(lake::Catalog& catalog,
                                                                     const lake::Table& table) {
  return std::make_shared<const std::vector<lake::DataFile>>(catalog.files(table));
}

}  // namespace headrace::tables
