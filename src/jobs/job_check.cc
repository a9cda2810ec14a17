#include "jobs/job_check.h"

#include <algorithm>
#include <regex>
#include <tuple>

#include "base/error.h"
#include "jobs/compiler.h"
#include "jobs/functions.h"
#include "jobs/input.h"
#include "jobs/writer.h"
#include "key_index/key_columns.h"
#include "lake/types.h"

namespace headrace::jobs {
namespace {

// An input whose columns are not known here.
class UnknownInput : public Error {
 public:
  using Error::Error;
};

engine::DatabaseOptions small_engine() {
  engine::DatabaseOptions options;
  options.threads = 1;
  return options;
}

// "job j: nodes.n: what is wrong", taken apart.
JobMistake mistake_of(const std::string& job, const std::string& message) {
  static const std::regex place(R"(^(?:job [^:]+: )?(?:nodes\.([^:]+): )?([^]*)$)");
  std::smatch found;
  if (!std::regex_match(message, found, place)) return {job, "", message};
  return {job, found[1], found[2]};
}

lake::Schema schema_of(const std::vector<engine::Column>& columns) {
  std::vector<std::pair<std::string, std::string>> names_and_types;
  for (const engine::Column& column : columns) {
    names_and_types.emplace_back(column.name, column.type);
  }
  return lake::make_schema(names_and_types);
}

// Refuses what would be refused when the table is made.
lake::Schema storable(const CompiledTarget& target) {
  lake::Schema schema = schema_of(target.columns);
  for (const std::string& field : target.need.partition_by) {
    lake::parse_partition_field(field, schema, 0);
  }
  if (target.is_upsert()) {
    const tables::UpsertSpec& upsert = target.need.upsert;
    std::ignore = key_index::KeyColumns(schema, upsert.primary_key, upsert.sequence_by);
  }
  return schema;
}

void create_table(engine::Connection& connection, const lake::TableIdentifier& table,
                  const lake::Schema& schema) {
  std::vector<std::string> declared;
  for (const lake::Field& field : schema.fields) {
    declared.push_back(engine::quote_identifier(field.name) + " " + lake::to_duckdb(field.type));
  }
  connection.execute("CREATE SCHEMA IF NOT EXISTS " + engine::quote_identifier(table.database));
  connection.execute(format("CREATE OR REPLACE TABLE {} ({})",
                            engine::quote_name(table.database, table.name), join(declared, ", ")));
}

}  // namespace

class JobCheck::Loader final : public InputLoader {
 public:
  Loader(std::string job, std::string project_directory, engine::Connection& connection)
      : job_(std::move(job)),
        project_directory_(std::move(project_directory)),
        connection_(connection) {}

  void load_static(const CompiledInput& input) override {
    connection_.execute(format("CREATE OR REPLACE TABLE {} AS SELECT * FROM {} LIMIT 0",
                               static_table_name(job_, input.node), relation(input)));
  }
  void check_records(const CompiledInput&) override {}  // when the table is there
  void show_driving(const CompiledInput& input) override {
    connection_.execute(format("CREATE OR REPLACE VIEW {} AS SELECT * FROM {} LIMIT 0",
                               driving_view_name(job_, input.node), relation(input)));
  }

 private:
  std::string relation(const CompiledInput& input) {
    if (input.need.kind == SourceNeed::Kind::kFiles) {
      const auto paths = matching_files(connection_, project_directory_, input.need.path);
      if (paths.empty()) {
        throw UnknownInput(ErrorKind::kNotFound,
                           format("nodes.{}: no file matches {} yet", input.node, input.need.path));
      }
      return read_files_sql(input.need, paths);
    }
    const std::string table = engine::quote_name(input.need.table.database, input.need.table.name);
    try {
      connection_.describe("SELECT * FROM " + table);
    } catch (const Error&) {
      throw UnknownInput(ErrorKind::kNotFound,
                         format("nodes.{}: no job or view of this project writes {}", input.node,
                                input.need.table.to_string()));
    }
    return table;
  }

  const std::string job_;
  const std::string project_directory_;
  engine::Connection& connection_;
};

JobCheck::JobCheck(std::string project_directory)
    : project_directory_(std::move(project_directory)),
      database_(small_engine()),
      connection_(database_.connect()) {
  register_functions(database_, board_);
  connection_->execute("CREATE SCHEMA IF NOT EXISTS static");
}

std::vector<JobMistake> JobCheck::check(std::vector<JobSpec>& jobs) {
  std::vector<JobMistake> mistakes;
  // A job may read what another one writes, so those that are left are tried again.
  for (bool goes_on = true; goes_on;) {
    const auto left = std::remove_if(jobs.begin(), jobs.end(),
                                     [&](const JobSpec& job) { return check_job(job, mistakes); });
    goes_on = left != jobs.end();
    jobs.erase(left, jobs.end());
  }
  return mistakes;
}

bool JobCheck::check_job(const JobSpec& job, std::vector<JobMistake>& mistakes) {
  board_.put(job.name, std::make_shared<InputBatch>());
  try {
    compile(job);
  } catch (const UnknownInput& error) {
    waiting_[job.name] = mistake_of(job.name, error.message());
    return false;
  } catch (const Error& error) {
    mistakes.push_back(mistake_of(job.name, error.message()));
  }
  return true;
}

void JobCheck::compile(const JobSpec& job) {
  const CompiledJob sources = compile_sources(job);
  if (!sources.inferring.empty()) {
    throw UnknownInput(ErrorKind::kNotFound, format("nodes.{}: its columns are found in the data",
                                                    sources.inferring.front().node));
  }
  Loader loader(job.name, project_directory_, *connection_);
  const CompiledJob compiled = compile_job(job, *connection_, loader, {});
  for (const CompiledTarget& target : compiled.targets) {
    try {
      create_table(*connection_, target.need.table, storable(target));
    } catch (const Error& error) {
      throw error.with_context("nodes." + target.node);
    }
  }
  create_table(*connection_, dead_letter_table(job.name), schema_of(dead_letter_columns()));
  if (compiled.is_provisional) compile_job(job, *connection_, loader, {});
}

}  // namespace headrace::jobs
