// Random lives of a table that is changed by key, compared with a model in memory after each step:
// batches, commits, merges and folded deletes beside them (also in the middle), expiries,
// rollbacks, crashes, failing files, lost indexes, and what other engines commit: rows, deletes,
// compactions and columns. One seed gives one course; HEADRACE_SEED and HEADRACE_STEPS repeat and
// lengthen it.

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/environment.h"
#include "lake/delete_reader.h"
#include "lake/row_deletes.h"
#include "maintenance/delete_files.h"
#include "maintenance/tests/changed_table.h"

namespace headrace::maintenance {
namespace {

constexpr int64_t kSteps = kIsSanitized ? 150 : 1000;  // of each format

// The format version of the table from its beginning, and whether it is raised on its way.
struct Format {
  std::string name;
  int version = 2;
  bool is_upgraded = false;
};

class ModelRun {
 public:
  ModelRun(uint64_t seed, const Format& format)
      : steps_(seed),
        is_upgraded_(format.is_upgraded),
        table_(seed * 31,
               steps_.below(2) == 0 ? std::vector<std::string>{}
                                    : std::vector<std::string>{"bucket(3, id)"},
               format.version) {
    table_.begin_job();
  }

  void run(int64_t steps) {
    for (int64_t step = 0; step < steps; ++step) {
      const std::string what = take_step();
      SCOPED_TRACE(format("step {}: {}", step, what));
      ++taken_[what];
      ASSERT_EQ(table_.rows(), table_.expected(table_.model.current()));
      if (steps_.below(10) == 0) {
        ASSERT_EQ(table_.committed_rows(), table_.expected(table_.model.committed()));
        ASSERT_TRUE(table_.has_right_ids());
      }
    }
  }

  const std::map<std::string, int64_t>& taken() const { return taken_; }

 private:
  // What it was.
  std::string take_step() {
    table_.file_system.when_written(nullptr);
    if (is_upgraded_ && steps_.below(100) == 0) return upgrade();
    const uint64_t what = steps_.below(100);
    if (what < 40) return run_batch();
    if (what < 58) return seal_or_commit();
    if (what < 72) return merge_some();
    if (what < 76) return fold();
    if (what < 79) return expire();
    if (what < 82) return crash();
    if (what < 85) return roll_back();
    if (what < 89) return append_from_outside();
    if (what < 93) return delete_from_outside();
    if (what < 95) return compact_from_outside();
    if (what < 97) return change_columns();
    return fail_somewhere();
  }

  std::string run_batch() {
    table_.run_batch(batch());
    return "batch";
  }

  TableModel::Batch batch() {
    TableModel::Batch batch;
    for (uint64_t left = 1 + steps_.below(30); left > 0; --left) {
      // A few keys that change often and many that seldom do.
      const uint64_t keys = steps_.below(2) == 0 ? 12 : 300;
      batch.push_back(
          {static_cast<int64_t>(steps_.below(keys)) - 6, next_amount_++, steps_.below(4) == 0});
    }
    return batch;
  }

  std::string seal_or_commit() {
    if (!table_.is_sealed()) {
      table_.seal();
      if (steps_.below(3) == 0) return "seal";
      if (steps_.below(2) == 0) table_.run_batch(batch());
    }
    // Passing failures are tried again with the same work.
    for (;;) {
      try {
        table_.commit();
        return "commit";
      } catch (const jobs::TableMoved&) {
        begin_again();
        return "commit of a table that has moved";
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kUnavailable) throw;
      }
    }
  }

  void begin_again() {
    table_.end_job();
    table_.begin_job();
  }

  void commit_if_sealed() {
    if (table_.is_sealed()) seal_or_commit();
  }

  PlannerOptions eager() const {
    PlannerOptions options;
    options.eager = true;
    return options;
  }

  std::string merge_some() {
    if (steps_.below(4) != 0) commit_if_sealed();
    const lake::TablePtr now = table_.table();
    auto tasks = plan_merges(now, table_.catalog().files(*now), eager());
    if (tasks.empty()) return run_batch();
    MergeTask task = std::move(tasks[steps_.below(tasks.size())]);
    while (task.files.size() > 2 && steps_.below(2) == 0) {
      task.files.erase(task.files.begin() + static_cast<int64_t>(steps_.below(task.files.size())));
    }
    const MergeOrder order =
        steps_.below(2) == 0 ? MergeOrder() : MergeOrder{"amount DESC, id", {}};
    // The job goes on while the files are written.
    const uint64_t busy = steps_.below(4);
    if (busy > 0) {
      table_.file_system.when_written([this, busy] {
        table_.run_batch(batch());
        if (busy == 2 && !table_.is_sealed()) table_.seal();
        if (busy == 3) seal_or_commit();
        if (busy > 1) table_.run_batch(batch());
      });
    }
    const auto before = table_.lineage();
    const bool was_done = merge(table_.upkeep(), task, order).has_value();
    remember();
    const bool has_ids = now->metadata.current_snapshot()->first_row_id.has_value();
    if (was_done && has_ids && busy == 0) {
      EXPECT_EQ(table_.lineage(), before);
    }
    return was_done ? (busy == 0 ? "merge" : "merge beside a busy job") : "overtaken merge";
  }

  // Its rows are those of before.
  void remember() {
    const auto now = table_.table()->metadata.current_snapshot_id;
    if (now) table_.model.remember(*now);
  }

  std::string fold() {
    const lake::TablePtr now = table_.table();
    const auto task = plan_deletes(now, table_.catalog().files(*now),
                                   table_.catalog().delete_files(*now), eager());
    if (!task) return run_batch();
    const bool was_done = fold_deletes(table_.upkeep(), *task).has_value();
    remember();
    return was_done ? "folded deletes" : "overtaken folding";
  }

  std::string expire() {
    lake::TableChange change;
    change.base = table_.table();
    change.retention = {1 + static_cast<int>(steps_.below(5)), 0};
    table_.catalog().commit({change});
    return "expiry";
  }

  std::string crash() {
    table_.drop_process();
    if (steps_.below(3) == 0) std::filesystem::remove_all(table_.key_directory());
    table_.open_process();
    EXPECT_EQ(table_.rows(), table_.expected(table_.model.committed())) << "before the job begins";
    table_.begin_job();
    return "crash";
  }

  std::string roll_back() {
    const lake::TablePtr now = table_.table();
    if (now->metadata.snapshots.empty()) return run_batch();
    table_.end_job();
    const auto& snapshots = now->metadata.snapshots;
    lake::TableChange change;
    change.base = now;
    change.roll_back_to = snapshots.at(steps_.below(snapshots.size())).snapshot_id;
    table_.catalog().commit({change});
    table_.model.roll_back(*change.roll_back_to);
    table_.tables().refresh(table_.identifier());
    table_.begin_job();
    return "rollback";
  }

  // Of another process, which our own may hear of at once or by its next commit.
  void commit_from_outside(const lake::TableChange& change, TableModel::Rows rows) {
    const auto other = table_.another_catalog();
    const lake::TablePtr after = other->commit({change}).at(0);
    table_.model.commit_rows(*after->metadata.current_snapshot_id, std::move(rows));
    if (steps_.below(2) == 0) {
      table_.tables().refresh(table_.identifier());
      if (table_.is_moved()) {
        begin_again();
        return;
      }
    }
    if (!table_.is_sealed()) table_.seal();
    seal_or_commit();
  }

  std::vector<lake::DataFile> write_rows(const lake::TablePtr& table, const std::string& select) {
    return lake::write_data_files(table_.connection(), table_.catalog(), table_.file_system,
                                  table_.random, *table, select);
  }

  std::string upgrade() {
    lake::TableChange change;
    change.base = table_.table();
    if (change.base->metadata.format_version == 3) return run_batch();
    change.format_version = 3;
    table_.another_catalog()->commit({change});
    // A job that has sealed what it deletes in the old format begins again.
    if (steps_.below(2) == 0) table_.tables().refresh(table_.identifier());
    if (table_.is_moved()) begin_again();
    return "upgrade";
  }

  // Of a column after id and amount.
  std::string fresh_value(const lake::Field& field, TableModel::Row& row) {
    if (field.type.kind != lake::TypeKind::kStruct) {
      row.others[field.id] = next_amount_;
      return format("{}", next_amount_++);
    }
    std::vector<std::string> members;
    for (size_t i = 0; i < field.type.fields.size(); ++i) {
      const lake::Field& member = field.type.fields[i];
      const std::string value = i == 0   ? format("{}", row.amount)
                                : i == 1 ? format("{}", -row.amount)
                                         : fresh_value(member, row);
      members.push_back(format("'{}': {}", member.name, value));
    }
    return format("{{{}}}", join(members, ", "));
  }

  std::string append_from_outside() {
    lake::TableChange change;
    change.base = table_.table();
    TableModel::Rows rows = table_.model.committed();
    std::vector<std::string> values;
    std::string columns;
    const auto others = table_.other_columns();
    for (const lake::Field& field : others) columns += ", " + engine::quote_identifier(field.name);
    for (uint64_t left = 1 + steps_.below(20); left > 0; --left) {
      TableModel::Row row{next_amount_++, {}};
      std::string value = format("{}, {}", next_foreign_id_, row.amount);
      for (const lake::Field& field : others) value += ", " + fresh_value(field, row);
      values.push_back(format("({})", value));
      rows[next_foreign_id_++] = row;
    }
    change.added = write_rows(change.base, format("SELECT * FROM (VALUES {}) t(id, amount{})",
                                                  join(values, ", "), columns));
    commit_from_outside(change, std::move(rows));
    return "append from outside";
  }

  std::string delete_from_outside() {
    lake::TableChange change;
    change.base = table_.table();
    const auto files = table_.catalog().files(*change.base);
    TableModel::Rows rows = table_.model.committed();
    if (files.empty() || rows.empty()) return run_batch();
    const int64_t part = static_cast<int64_t>(steps_.below(7));
    std::map<size_t, lake::RowPositions> positions;
    lake::DeleteReader reader(table_.engine());
    for (const auto& row : table_.connection().query_rows(
             format("SELECT id, _file, _position FROM ({}) WHERE hash(id) % 7 = {}",
                    lake::scan_rows_sql(*change.base, files), part))) {
      rows.erase(std::stoll(*row[0]));
      positions[static_cast<size_t>(std::stoll(*row[1]))].add(std::stoll(*row[2]));
    }
    if (positions.empty()) return run_batch();
    std::vector<lake::DeletedRows> deleted;
    for (const auto& [number, fresh] : positions) {
      deleted.push_back({files[number], fresh, fresh});
      for (const auto& before : files[number].deletes) {
        if (const auto some = reader.read(*before, files[number].path))
          deleted.back().all.add(*some);
      }
    }
    lake::DeleteFiles written =
        lake::delete_rows(table_.connection(), table_.catalog(), table_.file_system, table_.random,
                          *change.base, deleted);
    change.added = std::move(written.added);
    change.removed = std::move(written.removed);
    change.operation = "delete";
    commit_from_outside(change, std::move(rows));
    return "delete from outside";
  }

  std::string compact_from_outside() {
    lake::TableChange change;
    change.base = table_.table();
    change.removed = table_.catalog().files(*change.base);
    if (change.removed.empty()) return run_batch();
    change.added = write_rows(change.base, format("SELECT * FROM ({}) ORDER BY amount",
                                                  lake::scan_sql(*change.base, change.removed)));
    change.operation = "replace";
    commit_from_outside(change, table_.model.committed());
    return "compaction from outside";
  }

  std::string change_columns() {
    commit_if_sealed();
    lake::TableChange change;
    change.base = table_.table();
    lake::Schema schema = change.base->metadata.current_schema();
    const uint64_t what = steps_.below(5);
    if (what > 2) {
      change_members(schema.fields[2].type.fields);
    } else if (schema.fields.size() == 3 || (what == 0 && schema.fields.size() < 6)) {
      lake::Field field;
      field.name = format("c{}", next_amount_++);
      field.type.kind = lake::TypeKind::kLong;
      schema.fields.push_back(field);
    } else if (what == 1) {
      schema.fields.back().name = format("c{}", next_amount_++);
    } else {
      schema.fields.pop_back();
    }
    change.new_schema = schema;
    table_.another_catalog()->commit({change});
    table_.tables().refresh(table_.identifier());
    begin_again();
    return "other columns";
  }

  // Of the struct that the job fills. Beside what it fills there is one member at most, whose name
  // others had before it.
  void change_members(std::vector<lake::Field>& members) {
    if (steps_.below(2) == 0) {
      members[steps_.below(2)].name = format("m{}", next_amount_++);
    } else if (members.size() == 3 && steps_.below(2) == 0) {
      members.back().name = members.back().name == "p" ? "q" : "p";
    } else if (members.size() == 3) {
      members.pop_back();
    } else {
      members.push_back({0, steps_.below(2) == 0 ? "p" : "q",
                         lake::simple_type(lake::TypeKind::kLong), false, ""});
    }
  }

  // A file operation fails in a commit or in upkeep: no harm is done, and the next try goes.
  std::string fail_somewhere() {
    table_.file_system.fail_in(1 + static_cast<int>(steps_.below(60)));
    std::string what;
    try {
      switch (steps_.below(3)) {
        case 0:
          what = seal_or_commit();
          break;
        case 1:
          what = merge_some();
          break;
        default:
          what = fold();
      }
    } catch (const Error& error) {
      table_.file_system.fail_in(0);
      EXPECT_TRUE(error.kind() == ErrorKind::kUnavailable ||
                  error.kind() == ErrorKind::kCommitUnknown)
          << error.message();
      if (!table_.has_job() || table_.is_moved()) begin_again();
      what = "fault";
    }
    table_.file_system.fail_in(0);
    remember();
    return "with a fault: " + what;
  }

  SeededRandom steps_;
  const bool is_upgraded_;
  ChangedTable table_;
  int64_t next_amount_ = 0;
  int64_t next_foreign_id_ = 1000;
  std::map<std::string, int64_t> taken_;
};

class ModelTest : public ::testing::TestWithParam<Format> {};

TEST_P(ModelTest, HoldsWhatTheModelHoldsAfterEachStep) {
  const int64_t steps = number_from_environment("HEADRACE_STEPS", kSteps);
  const auto first = static_cast<uint64_t>(number_from_environment("HEADRACE_SEED", 1));
  // Several short lives find more than a long one, and are repeated faster.
  constexpr int64_t kStepsOfALife = 250;
  std::map<std::string, int64_t> taken;
  for (int64_t done = 0; done < steps && !testing::Test::HasFailure(); done += kStepsOfALife) {
    const uint64_t seed = first + static_cast<uint64_t>(done / kStepsOfALife);
    SCOPED_TRACE(format("repeat with HEADRACE_SEED={} HEADRACE_STEPS={}", seed, kStepsOfALife));
    ModelRun run(seed, GetParam());
    run.run(std::min(kStepsOfALife, steps - done));
    for (const auto& [what, count] : run.taken()) taken[what] += count;
  }
  std::string counts;
  for (const auto& [what, count] : taken) counts += format("\n  {} {}", count, what);
  RecordProperty("steps", counts);
  if (steps < 1000) return;
  if (GetParam().is_upgraded) {
    EXPECT_GT(taken["upgrade"], 0);
  }
  for (const char* wanted : {"merge", "merge beside a busy job", "overtaken merge", "rollback",
                             "folded deletes", "append from outside", "crash"}) {
    // Where each data file has one vector from the beginning, there is nothing to fold.
    const bool is_possible = GetParam().version == 2 || std::string(wanted) != "folded deletes";
    EXPECT_TRUE(!is_possible || taken[wanted] > 0) << wanted;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, ModelTest,
                         ::testing::Values(Format{"Version2", 2, false},
                                           Format{"Version3", 3, false},
                                           Format{"Upgraded", 2, true}),
                         [](const auto& format) { return format.param.name; });

}  // namespace
}  // namespace headrace::maintenance
