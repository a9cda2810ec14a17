#include "lake/time_travel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "lake/testing/error_kind.h"

namespace headrace::lake {
namespace {

using ::testing::HasSubstr;

Schema schema(int id, const std::string& column) {
  Schema schema = make_schema({{column, "BIGINT"}});
  schema.schema_id = id;
  return schema;
}

// Snapshots 1 (time 10 ms, schema 0) and 2 (20 ms, schema 1) on main, 3 on a branch; the current
// schema is 2. At 30 ms the table was rolled back to 1.
Table sample() {
  Table table;
  table.identifier = {"silver", "t"};
  TableMetadata& metadata = table.metadata;
  metadata.schemas = {schema(0, "a"), schema(1, "b"), schema(2, "c")};
  metadata.current_schema_id = 2;
  for (int i = 1; i <= 3; ++i) {
    Snapshot snapshot;
    snapshot.snapshot_id = i;
    snapshot.timestamp_ms = i * 10;
    snapshot.schema_id = i - 1;
    metadata.snapshots.push_back(snapshot);
  }
  metadata.current_snapshot_id = 1;
  metadata.snapshot_log = {{10, 1}, {20, 2}, {30, 1}};
  metadata.refs = {
      {"main", JsonObject{{"snapshot-id", 1}, {"type", "branch"}, {"min-snapshots-to-keep", 5}}},
      {"2", JsonObject{{"snapshot-id", 3}, {"type", "tag"}, {"max-ref-age-ms", 1000}}},
      {"try", JsonObject{{"snapshot-id", 3}, {"type", "branch"}, {"max-snapshot-age-ms", 7}}}};
  return table;
}

Timestamp at_ms(int64_t time_ms) { return Timestamp(milliseconds(time_ms)); }

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.message();
  }
  return "nothing was thrown";
}

TEST(TimeTravel, FindsVersionsByIdTagAndBranch) {
  const Table table = sample();
  EXPECT_EQ(find_version(table, "1").snapshot->snapshot_id, 1);
  EXPECT_EQ(find_version(table, "1").schema->schema_id, 0);
  // A name goes before an id that looks like it.
  EXPECT_EQ(find_version(table, "2").snapshot->snapshot_id, 3);
  EXPECT_EQ(find_version(table, "2").schema->schema_id, 2);
  EXPECT_EQ(find_version(table, "try").snapshot->snapshot_id, 3);
  EXPECT_EQ(find_version(table, "main").snapshot->snapshot_id, 1);
  EXPECT_EQ(find_version(table, "main").schema->schema_id, 2);  // a branch has the newest columns
}

TEST(TimeTravel, FollowsTheLogThroughRollbacks) {
  const Table table = sample();
  EXPECT_EQ(find_version_at(table, at_ms(10)).snapshot->snapshot_id, 1);
  EXPECT_EQ(find_version_at(table, at_ms(19)).snapshot->snapshot_id, 1);
  EXPECT_EQ(find_version_at(table, at_ms(29)).snapshot->snapshot_id, 2);
  EXPECT_EQ(find_version_at(table, at_ms(29)).schema->schema_id, 1);
  EXPECT_EQ(find_version_at(table, at_ms(30)).snapshot->snapshot_id, 1);
  EXPECT_EQ(kind_thrown_by([&] { find_version_at(table, at_ms(9)); }), ErrorKind::kNotFound);
}

TEST(TimeTravel, SaysWhatThereIs) {
  Table table = sample();
  EXPECT_THAT(message_of([&] { find_version(table, "4"); }),
              HasSubstr("silver.t has no snapshot '4', or it has expired: it has 3 snapshots, from "
                        "1 of 1970-01-01T00:00:00.010000Z to 3 of 1970-01-01T00:00:00.030000Z, and "
                        "tag '2', branch 'main', branch 'try'; see system.snapshots"));
  EXPECT_THAT(message_of([&] { find_version(table, "4x"); }), HasSubstr("branch or tag '4x'"));
  for (int i = 0; i < 40; ++i) {
    table.metadata.refs[format("tag{}", i)] = JsonObject{{"snapshot-id", 1}, {"type", "tag"}};
  }
  EXPECT_THAT(message_of([&] { find_version(table, "4"); }), HasSubstr("tag 'tag24', 23 more;"));
  table.metadata.snapshots.clear();
  EXPECT_EQ(kind_thrown_by([&] { find_version(table, "main"); }), ErrorKind::kCorrupt);
}

TEST(TimeTravel, ListsReferencesWithTheirRetention) {
  TableMetadata metadata = sample().metadata;
  const auto references = references_of(metadata);
  ASSERT_EQ(references.size(), 3u);
  EXPECT_EQ(references[0].name, "2");
  EXPECT_FALSE(references[0].is_branch);
  EXPECT_EQ(references[0].max_ref_age_ms, 1000);
  EXPECT_EQ(references[1].min_snapshots_to_keep, 5);
  EXPECT_EQ(references[2].max_snapshot_age_ms, 7);
  metadata.refs.clear();  // as metadata of format version 1 may have it
  ASSERT_EQ(references_of(metadata).size(), 1u);
  EXPECT_EQ(references_of(metadata)[0].name, "main");
  EXPECT_EQ(references_of(metadata)[0].snapshot_id, 1);
}

}  // namespace
}  // namespace headrace::lake
