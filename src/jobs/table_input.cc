#include "base/error.h"
#include "jobs/input.h"
#include "lake/data_writer.h"
#include "lake/delete_reader.h"
#include "lake/table_changes.h"

namespace headrace::jobs {
namespace {

// The rows that are new on balance. Engines that copy on write put the rows that stay into files of
// their own again, which are no news; a changed row is, and one that was deleted is not told.
std::string new_rows_sql(const lake::Table& table, const lake::TableChanges& changes) {
  std::string sql = format("SELECT * FROM ({})", lake::scan_sql(table, changes.came));
  if (changes.came.empty() || changes.only_came()) return sql;
  std::vector<std::string> gone;
  if (!changes.went.empty()) gone.push_back(lake::scan_sql(table, changes.went));
  if (!changes.deleted.empty()) gone.push_back(lake::gone_rows_sql(table, changes.deleted));
  return format("{} EXCEPT ALL SELECT * FROM ({})", sql, join(gone, " UNION ALL "));
}

class TableInput final : public JobInput {
 public:
  TableInput(std::string job, CompiledInput input, lake::Catalog& catalog,
             engine::Database& database, engine::Connection& connection, Clock& clock)
      : job_(std::move(job)),
        input_(std::move(input)),
        catalog_(catalog),
        delete_reader_(database),
        connection_(connection),
        clock_(clock) {}

  tables::Positions start() override {
    tables::Positions positions;
    positions.set_input(key(), nullptr);
    return positions;
  }

  void check(const tables::Positions&) override {}  // an expired snapshot is told by next()

  std::optional<Work> next(const tables::Positions& at, const tables::Positions*, bool may_wait,
                           std::stop_token stop) override {
    const lake::TablePtr table = catalog_.load(input_.need.table);
    const auto current = table->metadata.current_snapshot_id;
    if (!current || current == snapshot(at)) {
      if (may_wait) clock_.sleep_for(kPoll, stop);
      return std::nullopt;
    }
    changes_ = lake::changes_after(catalog_, *table, snapshot(at), delete_reader_.loader());
    connection_.execute(format("CREATE OR REPLACE VIEW {} AS {}",
                               driving_view_name(job_, input_.node),
                               new_rows_sql(*table, changes_)));
    Work work;
    work.batch = std::make_shared<InputBatch>();
    for (const lake::DataFile& file : changes_.came) {
      work.records += file.record_count;
      work.bytes += file.file_size_bytes;
    }
    work.after = at;
    work.after.set_input(key(), *current);
    return work;
  }

  void committed(const tables::Positions&) override {}

  int64_t lag(const tables::Positions& at) const override {
    const lake::TablePtr table = catalog_.load(input_.need.table);
    return table->metadata.current_snapshot_id == snapshot(at) ? 0 : 1;
  }

 private:
  static constexpr milliseconds kPoll{250};

  std::string key() const { return "table:" + input_.need.table.to_string(); }

  std::optional<lake::SnapshotId> snapshot(const tables::Positions& at) const {
    const Json* found = at.input(key());
    if (found == nullptr || found->is_null()) return std::nullopt;
    return found->to_number<int64_t>();
  }

  const std::string job_;
  const CompiledInput input_;
  lake::Catalog& catalog_;
  lake::DeleteReader delete_reader_;
  lake::TableChanges changes_;  // of the batch at work, whose view finds its deleted rows by it
  engine::Connection& connection_;
  Clock& clock_;
};

}  // namespace

std::unique_ptr<JobInput> make_table_input(const std::string& job, const CompiledInput& input,
                                           lake::Catalog& catalog, engine::Database& database,
                                           engine::Connection& connection, Clock& clock) {
  return std::make_unique<TableInput>(job, input, catalog, database, connection, clock);
}

}  // namespace headrace::jobs
