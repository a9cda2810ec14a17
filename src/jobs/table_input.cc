#include "base/error.h"
#include "jobs/input.h"
#include "lake/data_writer.h"

namespace headrace::jobs {
namespace {

constexpr milliseconds kPoll{250};

class TableInput final : public JobInput {
 public:
  TableInput(std::string job, CompiledInput input, lake::Catalog& catalog,
             engine::Connection& connection, Clock& clock)
      : job_(std::move(job)),
        input_(std::move(input)),
        catalog_(catalog),
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
    const std::vector<lake::DataFile> files = catalog_.files_added_after(*table, snapshot(at));
    connection_.execute(format("CREATE OR REPLACE VIEW {} AS SELECT * FROM ({})",
                               driving_view_name(job_, input_.node),
                               lake::scan_sql(*table, files)));
    Work work;
    work.batch = std::make_shared<InputBatch>();
    for (const lake::DataFile& file : files) {
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
  std::string key() const { return "table:" + input_.need.table.to_string(); }

  std::optional<lake::SnapshotId> snapshot(const tables::Positions& at) const {
    const Json* found = at.input(key());
    if (found == nullptr || found->is_null()) return std::nullopt;
    return found->to_number<int64_t>();
  }

  const std::string job_;
  const CompiledInput input_;
  lake::Catalog& catalog_;
  engine::Connection& connection_;
  Clock& clock_;
};

}  // namespace

std::unique_ptr<JobInput> make_table_input(const std::string& job, const CompiledInput& input,
                                           lake::Catalog& catalog, engine::Connection& connection,
                                           Clock& clock) {
  return std::make_unique<TableInput>(job, input, catalog, connection, clock);
}

}  // namespace headrace::jobs
