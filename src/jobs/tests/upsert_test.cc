// Tables with a primary key, through a whole job: against a model in memory after each step,
// through commits, restarts, failing files and lost indexes. HEADRACE_SEED and HEADRACE_STEPS
// repeat and lengthen the random test.

#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/testing/environment.h"
#include "base/testing/faulty_file_system.h"
#include "jobs/testing/job_bench.h"
#include "lake/data_writer.h"

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kChangesJob = R"yaml(
changes: {type: topic, topic: changes}
parsed: {type: parse, input: changes, fields: {id: bigint, region: varchar, amount: "decimal(10,2)", rev: integer, op: varchar}}
by_position: {type: table, input: parsed, table: silver.by_position, primary_key: [id, region], delete_when: op = 'd', leave_out: [op]}
by_revision: {type: table, input: parsed, table: silver.by_revision, primary_key: [region, id], sequence_by: rev, delete_when: op = 'd', partition_by: [region]}
)yaml";

struct Change {
  int id = 0;
  std::string region;
  int amount = 0;
  int revision = 0;
  bool deletes = false;

  std::string to_json() const {
    return format(R"({{"id":{},"region":"{}","amount":{}.25,"rev":{},"op":"{}"}})", id, region,
                  amount, revision, deletes ? "d" : "u");
  }
};

// What the tables must hold.
class Model {
 public:
  void take(const Change& change) {
    const auto key = std::pair(change.id, change.region);
    if (change.deletes) {
      by_position_.erase(key);
    } else {
      by_position_[key] = change;
    }
    const auto known = by_revision_.find(key);
    if (known == by_revision_.end() || change.revision >= known->second.revision) {
      by_revision_[key] = change;
    }
  }

  std::vector<std::string> by_position() const { return rows(by_position_, ""); }
  std::vector<std::string> by_revision() const { return rows(by_revision_, "|u"); }

 private:
  using Rows = std::map<std::pair<int, std::string>, Change>;
  static std::vector<std::string> rows(const Rows& rows, const std::string& operation) {
    std::vector<std::string> texts;
    for (const auto& [key, change] : rows) {
      if (change.deletes) continue;
      texts.push_back(format("{}|{}|{}.25|{}{}", change.id, change.region, change.amount,
                             change.revision, operation));
    }
    std::sort(texts.begin(), texts.end());
    return texts;
  }

  Rows by_position_;
  Rows by_revision_;  // with the deletes, which older changes must not undo
};

class Upsert : public testing::Test {
 protected:
  void send(JobBench& bench, const std::vector<Change>& changes) {
    std::vector<std::string> records;
    for (const Change& change : changes) {
      records.push_back(change.to_json());
      model_.take(change);
    }
    bench.send("changes", records);
  }

  void expect_model(JobBench& bench, const std::string& when) {
    ASSERT_EQ(bench.rows("SELECT * FROM silver.by_position"), model_.by_position()) << when;
    ASSERT_EQ(bench.rows("SELECT * FROM silver.by_revision"), model_.by_revision()) << when;
  }

  Model model_;
};

TEST_F(Upsert, keeps_the_last_change_of_each_key_and_deletes_what_is_deleted) {
  JobBench bench;
  bench.create_topic("changes");
  const JobSpec job = JobBench::job("changes", kChangesJob);
  send(bench, {{1, "eu", 10, 1, false},
               {2, "eu", 20, 1, false},
               {1, "eu", 11, 2, false},
               {1, "us", 12, 1, false},
               {3, "eu", 30, 5, false}});
  bench.run_to_end(job);
  expect_model(bench, "after inserts");
  send(bench, {{1, "eu", 13, 3, false}, {2, "eu", 0, 2, true}, {3, "eu", 31, 4, false}});
  bench.run_to_end(job);
  expect_model(bench, "after changes of committed rows");
  EXPECT_EQ(bench.rows("SELECT * FROM silver.by_revision WHERE id = 3"),
            (std::vector<std::string>{"3|eu|30.25|5|u"}));
  // A change that is older than the delete.
  send(bench, {{2, "eu", 21, 1, false}});
  bench.run_to_end(job);
  expect_model(bench, "after a late change");
  EXPECT_EQ(bench.value("SELECT count(*) FROM silver.by_revision WHERE id = 2"), "0");
  bench.restart();
  expect_model(bench, "read from the files alone");
  EXPECT_EQ(bench.value("SELECT count(*) FROM dead_letters.changes"), "0");
  // Rows are appended and deleted by position; no data file was written again.
  const auto table = bench.catalog().load({"silver", "by_position"});
  for (const lake::Snapshot& snapshot : table->metadata.snapshots) {
    EXPECT_FALSE(snapshot.summary.contains("deleted-data-files"));
    EXPECT_FALSE(snapshot.summary.contains("added-equality-deletes"));
  }
}

// The same job with `format_version: 3` for one of its tables, from a later start on.
TEST_F(Upsert, deletes_by_vectors_in_format_version_3) {
  JobBench bench;
  bench.create_topic("changes");
  send(bench, {{1, "eu", 10, 1, false}, {2, "eu", 20, 1, false}, {3, "eu", 30, 1, false}});
  bench.run_to_end(JobBench::job("changes", kChangesJob));
  send(bench, {{1, "eu", 11, 2, false}});
  bench.run_to_end(JobBench::job("changes", kChangesJob));
  const auto deletes = [&](const char* table) {
    const auto loaded = bench.catalog().load({"silver", table});
    std::vector<std::string> texts;
    for (const lake::DataFile& file : bench.catalog().delete_files(*loaded)) {
      texts.push_back(format("{} of {} in format {}",
                             file.is_deletion_vector() ? "vector" : "position deletes",
                             file.record_count, loaded->metadata.format_version));
    }
    return texts;
  };
  EXPECT_THAT(deletes("by_position"), ElementsAre("position deletes of 1 in format 2"));

  std::string upgraded = kChangesJob;
  upgraded.replace(upgraded.find("primary_key: [id, region],"), 0, "format_version: 3, ");
  const JobSpec job = JobBench::job("changes", upgraded);
  send(bench, {{2, "eu", 0, 2, true}});
  bench.run_to_end(job);
  expect_model(bench, "after the upgrade");
  EXPECT_THAT(deletes("by_position"), ElementsAre("vector of 2 in format 3"));
  EXPECT_THAT(deletes("by_revision"), ElementsAre("position deletes of 1 in format 2",
                                                  "position deletes of 1 in format 2"));
  send(bench, {{3, "eu", 31, 2, false}, {4, "eu", 40, 1, false}});
  bench.run_to_end(job);
  expect_model(bench, "after another commit");
  EXPECT_THAT(deletes("by_position"), ElementsAre("vector of 3 in format 3"));
  bench.restart();
  expect_model(bench, "read from the files alone");
}

TEST_F(Upsert, makes_rows_without_a_key_dead_letters) {
  JobBench bench;
  bench.create_topic("changes");
  bench.send("changes", {R"({"id":1,"rev":1})", R"({"region":"eu","id":2})",
                         R"({"region":"eu","id":3,"rev":1,"amount":1})"});
  bench.run_to_end(JobBench::job("changes", kChangesJob));
  EXPECT_EQ(bench.rows("SELECT id FROM silver.by_revision"), (std::vector<std::string>{"3"}));
  EXPECT_THAT(bench.rows("SELECT \"offset\", node FROM dead_letters.changes"),
              ElementsAre("0|by_position", "1|by_revision"));
}

TEST_F(Upsert, refuses_settings_that_do_not_fit) {
  JobBench bench;
  bench.create_topic("changes");
  send(bench, {{1, "eu", 10, 1, false}});
  const auto failure = [&](const std::string& target) -> std::string {
    try {
      bench.run_to_end(JobBench::job("j", R"(
changes: {type: topic, topic: changes}
parsed: {type: parse, input: changes, fields: {id: bigint, region: varchar, ratio: double}}
short: {type: sql, inputs: [parsed], query: "SELECT id, region FROM parsed"}
)" + target));
    } catch (const Error& error) {
      return error.message();
    }
    return "";
  };
  EXPECT_THAT(failure("out: {type: table, input: parsed, table: silver.a, primary_key: [nope]}"),
              HasSubstr("gets no column 'nope'"));
  EXPECT_THAT(failure("out: {type: table, input: parsed, table: silver.a, primary_key: [ratio]}"),
              HasSubstr("which cannot be a key"));
  EXPECT_THAT(failure("out: {type: table, input: short, table: silver.a, primary_key: [id]}"),
              HasSubstr("set 'sequence_by'"));
  EXPECT_THAT(failure("out: {type: table, input: parsed, table: silver.a, sequence_by: id}"),
              HasSubstr("'sequence_by' needs 'primary_key'"));
  EXPECT_THAT(failure("out: {type: table, input: changes, table: silver.a, primary_key: [id]}"),
              HasSubstr("parse them first"));
  EXPECT_THAT(failure("out: {type: table, input: parsed, table: silver.a, primary_key: [id], "
                      "delete_when: nope}"),
              HasSubstr("nope"));
  EXPECT_EQ(failure("out: {type: table, input: parsed, table: silver.a}"), "");
  EXPECT_THAT(failure("out: {type: table, input: parsed, table: silver.a, primary_key: [id]}"),
              HasSubstr("made without a primary key"));
  EXPECT_EQ(failure("out: {type: table, input: parsed, table: silver.b, primary_key: [id]}"), "");
  EXPECT_THAT(failure("out: {type: table, input: parsed, table: silver.b, primary_key: [region]}"),
              HasSubstr("has the primary key (id)"));
  EXPECT_THAT(failure("out: {type: table, input: parsed, table: silver.b}"), HasSubstr("(id)"));
}

// One life of the process after another, each ended in its own way.
class RandomLives {
 public:
  explicit RandomLives(uint64_t seed) : random_(seed), files_(make_posix_file_system()) {
    bench_.create_topic("changes");
    bench_.commit_interval = milliseconds(20);
  }

  void run(int64_t steps) {
    begin();
    for (step_ = 0; step_ < steps && !testing::Test::HasFatalFailure(); ++step_) {
      send();
      wait_until_taken();
      expect_model("after a batch");
      const uint64_t what = random_.below(100);
      if (what < 15) {
        runner_->commit_soon();
        if (random_.below(2) == 0) {
          ASSERT_TRUE(runner_->wait_until_committed(milliseconds(60'000)));
          expect_model("after a commit");
        }
      } else if (what < 20) {
        end();
        expect_model("between two lives, from the files alone");
        if (random_.below(2) == 0) lose_index();
        begin();
      } else if (what < 25) {
        stumble();
        begin();
      } else if (what < 35) {
        compact({"silver", random_.below(2) == 0 ? "by_position" : "by_revision"});
      }
    }
    end();
    expect_model("at the end");
    EXPECT_EQ(bench_.value("SELECT count(*) FROM dead_letters.changes"), "0");
    if (steps >= 40) {
      EXPECT_GT(compactions_, 0);
    }
  }

 private:
  Change change() {
    // A few keys that change often and many that seldom do.
    const uint64_t keys = random_.below(2) == 0 ? 12 : 400;
    Change change;
    change.id = static_cast<int>(random_.below(keys)) - 6;
    change.region = random_.below(2) == 0 ? "eu" : "u's \xc3\xa9";
    change.amount = static_cast<int>(random_.below(1000));
    change.revision = static_cast<int>(step_) + static_cast<int>(random_.below(20));
    change.deletes = random_.below(4) == 0;
    return change;
  }

  void send() {
    std::vector<std::string> records;
    for (uint64_t left = 1 + random_.below(40); left > 0; --left) {
      const Change next = change();
      model_.take(next);
      records.push_back(next.to_json());
    }
    bench_.send("changes", records);
    sent_ += static_cast<int64_t>(records.size());
  }

  void begin() {
    JobSpec spec = JobBench::job("changes", kChangesJob);
    spec.batch_records = 1 + static_cast<int64_t>(random_.below(30));
    spec.batch_wait = milliseconds(1);
    runner_ = std::make_unique<JobRunner>(spec, bench_.runtime());
    runner_->start();
    wait_until_taken();
  }

  // Until SQL sees all that was sent.
  void wait_until_taken() {
    const std::string wanted = format("[{}]", sent_);
    for (int i = 0; i < 60'000; ++i) {
      const JobStatus status = runner_->status();
      if (status.positions.find(wanted) != std::string::npos && status.lag == 0) return;
      if (status.state == JobState::kFailed) break;
      std::this_thread::sleep_for(milliseconds(1));
    }
    FAIL() << "step " << step_ << ": " << name_of(runner_->status().state) << " "
           << runner_->status().positions << " " << runner_->status().last_error;
  }

  void end() {
    if (is_moved_) {  // a job that is stopped while it begins again leaves the rest to its next
                      // life
      runner_->commit_soon();
      EXPECT_TRUE(runner_->wait_until_committed(milliseconds(60'000)));
      expect_model("before the end of a life");
    }
    runner_->stop();
    EXPECT_EQ(runner_->status().state, JobState::kStopped) << runner_->status().last_error;
    runner_.reset();
    bench_.restart();
    is_moved_ = false;
  }

  // A life in which some file operation fails, wherever that is: the job goes on by itself.
  void stumble() {
    end();
    send();  // before: an append that fails is its sender's to repeat
    FaultyFileSystem faulty(*files_, 1 + static_cast<int>(random_.below(80)));
    while (true) {
      try {
        bench_.use_files(faulty);
        break;
      } catch (const Error&) {
        ASSERT_TRUE(faulty.failed());
      }
    }
    begin();
    expect_model("in a life with a fault");
    end();
    bench_.use_files(*files_);
  }

  // As another program would, while the job runs: all data files are written as new ones, without
  // the deleted rows. Positions that the job knows are good for nothing then.
  void compact(const lake::TableIdentifier& identifier) {
    for (int attempt = 0; attempt < 50 && !compact_once(identifier); ++attempt) {
      std::this_thread::sleep_for(milliseconds(10));
    }
    if (random_.below(2) == 0) bench_.tables().refresh(identifier);
    expect_model("after a compaction by somebody else");
  }

  bool compact_once(const lake::TableIdentifier& identifier) {
    lake::Catalog& catalog = bench_.catalog();
    lake::TableChange change;
    change.base = catalog.load(identifier);
    change.operation = "replace";
    change.only_on_base = true;
    change.removed = catalog.files(*change.base);
    if (change.removed.empty()) return false;
    const auto connection = bench_.database().connect();
    change.added = lake::write_data_files(
        *connection, catalog, bench_.files(), random_, *change.base,
        lake::scan_sql(*change.base, change.removed), {.order_by = "amount"});
    std::map<std::string, lake::DataFile> deletes;
    for (const lake::DataFile& file : change.removed) {
      for (const auto& some : file.deletes) deletes.emplace(some->path, *some);
    }
    for (const auto& [path, file] : deletes) change.removed.push_back(file);
    try {
      catalog.commit({change});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kConflict) << error.message();
      return false;
    }
    ++compactions_;
    is_moved_ = true;
    return true;
  }

  void lose_index() {
    // An index that is made anew has forgotten deletes, which only the order of changes needs.
    bench_.shut();
    std::filesystem::remove_all(bench_.directory() + "/keys/silver.by_position");
    bench_.open();
  }

  // After somebody else's commit the job begins again from what is committed, and SQL shows that
  // until it has caught up; but never two rows of a key.
  void expect_model(const std::string& when) {
    for (int i = 0; i < 3'000 && is_moved_; ++i) {
      // Looked at once: it may begin again at any later commit, too.
      if (is_at_model()) return;
      for (const char* table : {"silver.by_position", "silver.by_revision"}) {
        ASSERT_EQ(
            bench_.value(format("SELECT count(*) - count(DISTINCT (id, region)) FROM {}", table)),
            "0")
            << table << " step " << step_ << " " << when;
      }
      std::this_thread::sleep_for(milliseconds(10));
    }
    ASSERT_EQ(bench_.rows("SELECT * FROM silver.by_position"), model_.by_position())
        << "step " << step_ << " " << when;
    ASSERT_EQ(bench_.rows("SELECT * FROM silver.by_revision"), model_.by_revision())
        << "step " << step_ << " " << when;
  }

  bool is_at_model() {
    return bench_.rows("SELECT * FROM silver.by_position") == model_.by_position() &&
           bench_.rows("SELECT * FROM silver.by_revision") == model_.by_revision();
  }

  SeededRandom random_;
  std::unique_ptr<FileSystem> files_;
  JobBench bench_;
  Model model_;
  std::unique_ptr<JobRunner> runner_;
  int64_t step_ = 0;
  int64_t sent_ = 0;
  int64_t compactions_ = 0;
  bool is_moved_ = false;
};

TEST_F(Upsert, holds_what_a_model_holds_after_each_step) {
  const auto seed = static_cast<uint64_t>(number_from_environment("HEADRACE_SEED", 1));
  SCOPED_TRACE(format("HEADRACE_SEED={}", seed));
  RandomLives(seed).run(number_from_environment("HEADRACE_STEPS", kIsSanitized ? 15 : 40));
}

}  // namespace
}  // namespace headrace::jobs
