#pragma once

// What LiveTables holds, for the files it is made of. Private to this module.

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "lake/delete_reader.h"
#include "lake/schema_evolution.h"
#include "lake/table_changes.h"
#include "lake/value_conversion.h"
#include "tables/live_tables.h"

namespace headrace::tables {

using lake::TableIdentifier;

inline std::string hot_table_name(const TableIdentifier& identifier, int64_t generation) {
  return format("{}#{}", identifier.to_string(), generation);
}

inline std::string superseded_name(const TableIdentifier& identifier, int64_t generation) {
  return engine::quote_name("hot", hot_table_name(identifier, generation) + "#superseded");
}

// Committed rows that a generation's changes deleted.
inline std::string gone_name(const TableIdentifier& identifier, int64_t generation) {
  return engine::quote_name("hot", hot_table_name(identifier, generation) + "#gone");
}

inline std::string version_macro(const TableIdentifier& identifier) {
  return engine::quote_name("hot", identifier.to_string() + "#version");
}

// The columns that SQL shows.
inline const lake::Schema& shown_schema(const TableState& table) {
  return table.pending ? *table.pending : table.table->metadata.current_schema();
}

// The table with them.
inline lake::TablePtr shown(const TableState& table) {
  return table.pending ? lake::with_schema(table.table, *table.pending) : table.table;
}

// Of rows r with columns `have`, the columns `wanted`, found by their ids, and their members, too.
inline std::string columns_by_id(const std::vector<lake::Field>& have,
                                 const std::vector<lake::Field>& wanted) {
  std::vector<std::string> columns;
  for (const lake::Field& field : wanted) {
    std::string value = format("CAST(NULL AS {})", lake::to_duckdb(field.type));
    for (const lake::Field& candidate : have) {
      if (candidate.id != field.id) continue;
      value = lake::converted_sql("r." + engine::quote_identifier(candidate.name), candidate.type,
                                  field.type);
    }
    columns.push_back(format("{} AS {}", value, engine::quote_identifier(field.name)));
  }
  return format("{}", join(columns, ", "));
}

inline std::string columns_by_id(const lake::Schema& have, const lake::Schema& wanted) {
  return columns_by_id(have.fields, wanted.fields);
}

// Of rows r as the job writes them, the columns that the table has now: another engine may have
// changed them meanwhile.
inline std::string columns_now(const TableState& table) {
  const auto& now = shown_schema(table).fields;
  return columns_by_id(table.hot_schema.fields.empty() ? now : table.hot_schema.fields, now);
}

// How the table's columns, which are now those of `schema`, follow those of the rows. Throws when
// the rows cannot go into the table.
lake::SchemaEvolution evolution(const lake::Table& table, const lake::Schema& schema,
                                const std::vector<engine::Column>& columns);

struct LiveTables::State {
  explicit State(const Collaborators& given)
      : collaborators(given), delete_reader(given.database), connection(given.database.connect()) {}

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

  // Runs them, and takes back what they did.
  void try_out(const std::vector<std::string>& statements) {
    connection->execute("BEGIN");
    try {
      for (const std::string& statement : statements) connection->execute(statement);
    } catch (...) {
      connection->execute("ROLLBACK");
      throw;
    }
    connection->execute("ROLLBACK");
  }

  // " UNION ALL SELECT …" of all hot rows. `further`: more columns, with a comma before.
  std::string hot_relations(const TableIdentifier& identifier, const TableState& table,
                            const std::string& further = "") const {
    std::string sql;
    if (table.raw_topic) {
      std::vector<OffsetRange> ranges;
      for (const stream::Offset offset : table.raw_committed)
        ranges.push_back({offset, std::nullopt});
      if (!ranges.empty()) {
        sql += format(" UNION ALL SELECT {}{} FROM {} r", columns_now(table), further,
                      topic_sql(*table.raw_topic, ranges));
      }
    }
    for (const int64_t generation : table.generations) {
      sql += " UNION ALL " + hot_relation(identifier, table, generation, further);
    }
    return sql;
  }

  std::string hot_relation(const TableIdentifier& identifier, const TableState& table,
                           int64_t generation, const std::string& further) const {
    std::string sql = format("SELECT {}{} FROM {} r", columns_now(table), further,
                             hot_name(identifier, generation));
    if (!table.is_upsert) return sql;
    if (generation != table.generations.back()) {
      sql += format(" ANTI JOIN {} s ON {}", superseded_name(identifier, generation),
                    same_keys(upserts.at(identifier)->columns().keys(), "r", "s"));
    }
    return format("{} WHERE NOT r.{}", sql, kDeletedColumn);
  }

  // The same lists of files as before where nothing has changed, so that the view which is there
  // stays right when its replacement is taken back.
  static const std::string& files_sql(TableState& table) {
    lake::TablePtr now = shown(table);
    const auto& schema = now->metadata.current_schema();
    const auto& before = table.shown_files;
    const bool is_same =
        before && before->files == table.files &&
        to_text(to_json(before->table->metadata.current_schema())) == to_text(to_json(schema));
    if (!is_same) {
      auto scan = lake::make_scan(now, schema, table.files);
      table.shown_files = std::make_shared<const ShownFiles>(
          ShownFiles{std::move(now), table.files, std::move(scan)});
    }
    return table.shown_files->scan.sql;
  }

  std::vector<std::string> definition(const TableIdentifier& identifier) {
    TableState& table = at(identifier);
    return {format("CREATE SCHEMA IF NOT EXISTS {}", engine::quote_identifier(identifier.database)),
            format("CREATE OR REPLACE VIEW {} AS SELECT * FROM ({}){}",
                   engine::quote_name(identifier.database, identifier.name), files_sql(table),
                   hot_relations(identifier, table))};
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

  // Does somebody want to know which committed rows the hot changes deleted?
  bool is_watched(const TableIdentifier& identifier) const {
    const auto found = dependents.find(identifier);
    return found != dependents.end() && !found->second.empty();
  }

  std::string gone_ddl(const TableIdentifier& identifier, const TableState& table,
                       int64_t generation) {
    const lake::Schema& schema = table.table->metadata.current_schema();
    gone_schemas[generation] = schema;
    std::vector<std::string> columns;
    for (const lake::Field& field : schema.fields) {
      columns.push_back(engine::quote_identifier(field.name) + " " + lake::to_duckdb(field.type));
    }
    return format("CREATE TABLE {} ({})", gone_name(identifier, generation), join(columns, ", "));
  }

  std::string drop_gone_ddl(const TableIdentifier& identifier, int64_t generation) {
    gone_schemas.erase(generation);
    return "DROP TABLE IF EXISTS " + gone_name(identifier, generation);
  }

  // Keeps rows of committed files with a generation's changes.
  std::string keep_gone_sql(const TableIdentifier& identifier, const lake::Table& table,
                            int64_t generation, const std::vector<lake::DataFile>& rows) const {
    return format("INSERT INTO {} SELECT {} FROM ({}) r", gone_name(identifier, generation),
                  columns_by_id(table.metadata.current_schema(), gone_schemas.at(generation)),
                  lake::gone_rows_sql(table, rows));
  }

  // The same for rows of a generation that were superseded while it was committed.
  std::string keep_superseded_sql(const TableIdentifier& identifier, const TableState& table,
                                  int64_t sealed, int64_t generation) const {
    return format("INSERT INTO {} SELECT {} FROM {} r SEMI JOIN {} s ON {} WHERE NOT r.{}",
                  gone_name(identifier, generation),
                  columns_by_id(table.hot_schema, gone_schemas.at(generation)),
                  hot_name(identifier, sealed), superseded_name(identifier, sealed),
                  same_keys(upserts.at(identifier)->columns().keys(), "r", "s"), kDeletedColumn);
  }

  UpsertTable::HotTables hot_tables(const TableIdentifier& identifier) {
    const std::vector<int64_t>& generations = at(identifier).generations;
    UpsertTable::HotTables hot{hot_name(identifier, generations.back()), "", "", nullptr};
    if (is_watched(identifier)) {
      const lake::TablePtr table = at(identifier).table;
      hot.keep_gone = [this, identifier, table, generation = generations.back()](
                          engine::Connection& own, const std::vector<lake::DataFile>& rows) {
        std::string sql;
        {
          std::lock_guard lock(mutex);
          sql = keep_gone_sql(identifier, *table, generation, rows);
        }
        own.execute(sql);
      };
    }
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
    if (live.is_committing || live.is_exchanging) {
      live.refresh_wanted = true;
      return;
    }
    if (live.is_upsert) {
      // Its hot rows and positions go with the files that it has; its job opens it again.
      upserts.at(table->identifier)->set_moved();
      return;
    }
    if (live.pending &&
        live.table->metadata.current_schema_id != table->metadata.current_schema_id) {
      live.is_moved = true;  // its job opens it again
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
  lake::DeleteReader delete_reader;
  std::map<int64_t, lake::Schema> gone_schemas;  // of each generation's table of gone rows
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
