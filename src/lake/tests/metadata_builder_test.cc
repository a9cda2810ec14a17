// The updates and requirements of the REST catalog, on metadata alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "lake/metadata_update.h"
#include "lake/new_table.h"
#include "lake/testing/error_kind.h"

namespace headrace::lake {
namespace {

using ::testing::SizeIs;

constexpr int64_t kNow = 1'000'000'000;

// {"id": long, "s": {"x": int}, "ts": timestamptz}, by day(ts), sorted by id, with Spark's ids.
constexpr const char* kCreate = R"({"name": "t",
  "schema": {"type": "struct", "fields": [
    {"id": 0, "name": "id", "type": "long", "required": true},
    {"id": 1, "name": "s", "required": false, "type": {"type": "struct", "fields": [
      {"id": 2, "name": "x", "type": "int", "required": false}]}},
    {"id": 3, "name": "ts", "type": "timestamptz", "required": false}],
    "identifier-field-ids": [0]},
  "partition-spec": {"fields": [{"source-id": 3, "transform": "day", "name": "day"}]},
  "write-order": {"order-id": 9, "fields": [
    {"transform": "identity", "source-id": 0, "direction": "asc", "null-order": "nulls-first"}]},
  "properties": {"format-version": "2", "owner": "me"}})";

TableMetadata created() {
  return first_metadata(new_table_from_json("db", parse_json(kCreate, "test")), "file:///w/db/t",
                        "uuid-1", kNow);
}

TableMetadata updated(const TableMetadata& base, const std::string& updates, int64_t now = kNow) {
  const TableUpdates parsed =
      table_updates_from_json({"db", "t"}, parse_json("{\"updates\": [" + updates + "]}", "test"));
  MetadataBuilder builder("db.t", &base, now);
  for (const MetadataUpdate& update : parsed.updates) update.apply(builder);
  return builder.finish();
}

std::string add_snapshot(int64_t id, int64_t sequence, const std::string& parent = "",
                         const std::string& operation = "append") {
  return format(
      R"({{"action": "add-snapshot", "snapshot": {{"snapshot-id": {}, "sequence-number": {},
          "timestamp-ms": {}, "manifest-list": "file:///w/db/t/metadata/{}.avro",
          "summary": {{"operation": "{}"}}, "schema-id": 0{}}}}})",
      id, sequence, kNow + sequence, id, operation,
      parent.empty() ? "" : ", \"parent-snapshot-id\": " + parent);
}

std::string set_ref(int64_t id, const std::string& name = "main") {
  return format(
      R"({{"action": "set-snapshot-ref", "ref-name": "{}", "type": "branch", "snapshot-id": {}}})",
      name, id);
}

void add_to_last_summary(TableMetadata& table, const std::string& key, const std::string& value) {
  Snapshot snapshot = table.snapshots.back();
  snapshot.summary[key] = value;
  snapshot.json_text = nullptr;
  table.snapshots.replace(table.snapshots.size() - 1, std::move(snapshot));
}

TableMetadata with_two_snapshots() {
  return updated(created(), add_snapshot(11, 1) + "," + set_ref(11) + "," +
                                add_snapshot(12, 2, "11") + "," + set_ref(12));
}

TEST(MetadataBuilderTest, ANewTableGetsFreshIdsAndWhatRefersToThemGoesAlong) {
  const TableMetadata table = created();
  const Schema& schema = table.current_schema();
  EXPECT_EQ(schema.find("id")->id, 1);
  EXPECT_EQ(schema.find("s")->id, 2);
  EXPECT_EQ(schema.find("ts")->id, 3);
  EXPECT_EQ(schema.find("s")->type.fields.at(0).id, 4);
  EXPECT_EQ(to_text(Json(schema.unknown)), R"({"identifier-field-ids":[1]})");
  EXPECT_EQ(table.last_column_id, 4);
  EXPECT_EQ(table.default_spec().fields.at(0).source_id, 3);
  EXPECT_EQ(table.default_spec().fields.at(0).field_id, 1000);
  EXPECT_EQ(table.last_partition_id, 1000);
  EXPECT_EQ(table.default_sort_order_id, 1);
  EXPECT_EQ(integer_member(member(table.sort_orders.at(0), "fields").at(0), "source-id"), 1);
  EXPECT_EQ(table.properties.at("owner"), "me");
  EXPECT_FALSE(table.properties.contains("format-version"));
}

TEST(MetadataBuilderTest, SchemasSpecsAndOrdersAreAddedOnceAndMadeCurrent) {
  const std::string add_schema =
      R"({"action": "add-schema", "schema": {"type": "struct", "fields": [
      {"id": 1, "name": "id", "type": "long", "required": true},
      {"id": 5, "name": "extra", "type": "int", "required": false},
      {"id": 3, "name": "ts", "type": "timestamptz", "required": false}]}},
      {"action": "set-current-schema", "schema-id": -1})";
  TableMetadata table = updated(created(), add_schema);
  EXPECT_EQ(table.current_schema_id, 1);
  EXPECT_EQ(table.last_column_id, 5);
  table = updated(table, add_schema);
  EXPECT_THAT(table.schemas, SizeIs(2));
  table = updated(table, R"({"action": "add-spec", "spec": {"fields": [
      {"source-id": 3, "transform": "day", "name": "day"},
      {"source-id": 1, "transform": "bucket[4]", "name": "b"}]}},
      {"action": "set-default-spec", "spec-id": -1},
      {"action": "add-sort-order", "sort-order": {"order-id": 7, "fields": []}},
      {"action": "set-default-sort-order", "sort-order-id": -1})");
  EXPECT_EQ(table.default_spec_id, 1);
  EXPECT_EQ(table.default_spec().fields.at(0).field_id, 1000);  // as in the spec before
  EXPECT_EQ(table.default_spec().fields.at(1).field_id, 1001);
  EXPECT_EQ(table.default_sort_order_id, 2);
  table = updated(table, R"({"action": "remove-schemas", "schema-ids": [0]},
      {"action": "remove-partition-specs", "spec-ids": [0]})");
  EXPECT_THAT(table.schemas, SizeIs(1));
  EXPECT_THAT(table.partition_specs, SizeIs(1));
}

TEST(MetadataBuilderTest, PropertiesAndStatistics) {
  TableMetadata table = updated(with_two_snapshots(), R"(
      {"action": "set-properties", "updates": {"a": "1", "b": "2"}},
      {"action": "remove-properties", "removals": ["a", "none"]},
      {"action": "set-statistics", "statistics": {"snapshot-id": 11, "statistics-path": "old"}},
      {"action": "set-statistics", "statistics": {"snapshot-id": 11, "statistics-path": "new"}},
      {"action": "set-partition-statistics", "partition-statistics": {"snapshot-id": 12}})");
  EXPECT_FALSE(table.properties.contains("a"));
  EXPECT_EQ(table.properties.at("b"), "2");
  EXPECT_EQ(to_text(table.unknown["statistics"]),
            R"([{"snapshot-id":11,"statistics-path":"new"}])");
  table = updated(table, R"({"action": "remove-statistics", "snapshot-id": 11},
      {"action": "remove-partition-statistics", "snapshot-id": 12})");
  EXPECT_EQ(to_text(table.unknown["statistics"]), "[]");
  EXPECT_EQ(to_text(table.unknown["partition-statistics"]), "[]");
}

TEST(MetadataBuilderTest, SnapshotsFollowEachOtherAndTheLogTellsTheLast) {
  const TableMetadata table = with_two_snapshots();
  EXPECT_EQ(table.current_snapshot_id, 12);
  EXPECT_EQ(table.last_sequence_number, 2);
  EXPECT_EQ(table.last_updated_ms, kNow + 2);
  ASSERT_THAT(table.snapshot_log, SizeIs(1));  // 11 was current within the commit alone
  EXPECT_EQ(table.snapshot_log.at(0).snapshot_id, 12);
  EXPECT_EQ(to_text(Json(table.refs)), R"({"main":{"snapshot-id":12,"type":"branch"}})");
}

TEST(MetadataBuilderTest, RollsBackBranchesAndRemovesSnapshots) {
  TableMetadata table = updated(with_two_snapshots(), set_ref(11) + "," + set_ref(12, "try"));
  EXPECT_EQ(table.current_snapshot_id, 11);
  table = updated(table, R"({"action": "remove-snapshot-ref", "ref-name": "try"},
      {"action": "remove-snapshots", "snapshot-ids": [12]})");
  EXPECT_THAT(table.snapshots, SizeIs(1));
  EXPECT_EQ(table.refs.size(), 1u);
  ASSERT_THAT(table.snapshot_log, SizeIs(1));
  EXPECT_EQ(table.snapshot_log.at(0).snapshot_id, 11);
}

TEST(MetadataBuilderTest, AReplacedTableBeginsAnewAndItsWriterGoesOn) {
  TableMetadata table = with_two_snapshots();
  add_to_last_summary(table, "headrace.positions", "here");
  table = updated(table, R"({"action": "remove-snapshot-ref", "ref-name": "main"},)" +
                             add_snapshot(13, 3, "", "overwrite") + "," + set_ref(13));
  EXPECT_EQ(table.current_snapshot_id, 13);
  EXPECT_EQ(table.current_snapshot()->parent_snapshot_id, std::nullopt);
  EXPECT_EQ(table.current_snapshot()->summary.at("headrace.positions"), "here");
}

TEST(MetadataBuilderTest, WhatAViewSaysOfItsInputsIsCarriedByReplaceAlone) {
  TableMetadata table = with_two_snapshots();
  add_to_last_summary(table, "headrace.inputs", "these");
  const TableMetadata appended = updated(table, add_snapshot(13, 3, "12") + "," + set_ref(13));
  EXPECT_FALSE(appended.current_snapshot()->summary.contains("headrace.inputs"));
  const TableMetadata replaced =
      updated(table, add_snapshot(13, 3, "12", "replace") + "," + set_ref(13));
  EXPECT_EQ(replaced.current_snapshot()->summary.at("headrace.inputs"), "these");
}

struct Refused {
  std::string name;
  std::string updates;
  ErrorKind kind;
};

TEST(MetadataBuilderTest, RefusesWhatWouldBreakTheTable) {
  const std::string schema = R"({"action": "add-schema", "schema": {"type": "struct", "fields": [)";
  const std::string current = R"(]}}, {"action": "set-current-schema", "schema-id": -1})";
  const std::string id = R"({"id": 1, "name": "id", "type": "long", "required": true})";
  const std::string ts = R"({"id": 3, "name": "ts", "type": "timestamptz", "required": false})";
  const std::vector<Refused> cases = {
      {"another uuid", R"({"action": "assign-uuid", "uuid": "x"})", ErrorKind::kInvalid},
      {"version 4", R"({"action": "upgrade-format-version", "format-version": 4})",
       ErrorKind::kUnsupported},
      {"version 1", R"({"action": "upgrade-format-version", "format-version": 1})",
       ErrorKind::kInvalid},
      {"no schema", R"({"action": "set-current-schema", "schema-id": 5})", ErrorKind::kInvalid},
      {"nothing added", R"({"action": "set-default-spec", "spec-id": -1})", ErrorKind::kInvalid},
      {"schema in use", R"({"action": "remove-schemas", "schema-ids": [0]})", ErrorKind::kInvalid},
      {"spec in use", R"({"action": "remove-partition-specs", "spec-ids": [0]})",
       ErrorKind::kInvalid},
      {"narrower type",
       schema + R"({"id": 1, "name": "id", "type": "int", "required": true},)" + ts + current,
       ErrorKind::kInvalid},
      {"new required column",
       schema + id + R"(, {"id": 9, "name": "n", "type": "int", "required": true},)" + ts + current,
       ErrorKind::kInvalid},
      {"moved out of a struct",
       schema + id + R"(, {"id": 4, "name": "x", "type": "int", "required": false},)" + ts +
           current,
       ErrorKind::kInvalid},
      {"partition source gone", schema + id + current, ErrorKind::kInvalid},
      {"snapshot twice", add_snapshot(12, 3, "12"), ErrorKind::kInvalid},
      {"old sequence number", add_snapshot(13, 2, "12"), ErrorKind::kConflict},
      {"unknown parent", add_snapshot(13, 3, "99"), ErrorKind::kConflict},
      {"stale parent", add_snapshot(13, 3, "11") + "," + set_ref(13), ErrorKind::kConflict},
      {"no parent", add_snapshot(13, 3) + "," + set_ref(13), ErrorKind::kConflict},
      {"ref to nothing", set_ref(99), ErrorKind::kInvalid},
      {"current snapshot removed", R"({"action": "remove-snapshots", "snapshot-ids": [12]})",
       ErrorKind::kInvalid},
      {"statistics of nothing",
       R"({"action": "set-statistics", "statistics": {"snapshot-id": 99}})", ErrorKind::kInvalid},
      {"unknown action", R"({"action": "do-something"})", ErrorKind::kUnsupported},
      {"wrong type", R"({"action": "remove-snapshots", "snapshot-ids": ["x"]})",
       ErrorKind::kInvalid},
      {"missing member", R"({"action": "set-location"})", ErrorKind::kInvalid}};
  const TableMetadata base = with_two_snapshots();
  for (const Refused& test : cases) {
    EXPECT_EQ(kind_thrown_by([&] { updated(base, test.updates); }), test.kind) << test.name;
  }
}

TEST(MetadataBuilderTest, FromFormat3OnEachSnapshotTakesTheNextRowIds) {
  const auto with_ids = [](std::string snapshot, const std::string& ids) {
    return snapshot.replace(snapshot.rfind("}}"), 0, ids);
  };
  const std::string upgrade = R"({"action": "upgrade-format-version", "format-version": 3})";
  TableMetadata table = updated(with_two_snapshots(), upgrade);
  EXPECT_EQ(table.format_version, 3);
  EXPECT_EQ(table.next_row_id, 0);
  EXPECT_FALSE(table.current_snapshot()->first_row_id);
  // Two in one request go on from each other.
  table = updated(
      table, with_ids(add_snapshot(13, 3, "12"), R"(, "first-row-id": 0, "added-rows": 7)") + "," +
                 with_ids(add_snapshot(14, 4, "13"), R"(, "first-row-id": 7, "added-rows": 0)") +
                 "," + set_ref(14));
  EXPECT_EQ(table.next_row_id, 7);
  EXPECT_EQ(table.current_snapshot()->first_row_id, 7);
  const std::string next = add_snapshot(15, 5, "14");
  const std::pair<std::string, ErrorKind> cases[] = {
      {"", ErrorKind::kInvalid},
      {R"(, "first-row-id": 7)", ErrorKind::kInvalid},
      {R"(, "added-rows": 7)", ErrorKind::kInvalid},
      {R"(, "first-row-id": 0, "added-rows": 7)", ErrorKind::kConflict},
      {R"(, "first-row-id": 6, "added-rows": 7)", ErrorKind::kConflict},
      {R"(, "first-row-id": 7, "added-rows": -7)", ErrorKind::kInvalid},
      {R"(, "first-row-id": 7, "added-rows": 9223372036854775807)", ErrorKind::kInvalid}};
  for (const auto& [ids, kind] : cases) {
    EXPECT_EQ(kind_thrown_by([&] { updated(table, with_ids(next, ids)); }), kind) << ids;
  }
  EXPECT_EQ(kind_thrown_by([&] {
              updated(table, R"({"action": "upgrade-format-version", "format-version": 2})");
            }),
            ErrorKind::kInvalid);
  EXPECT_EQ(updated(table, upgrade).next_row_id, 7);  // it has it already
  EXPECT_EQ(updated(table, with_ids(next, R"(, "first-row-id": 9, "added-rows": 2)")).next_row_id,
            11);
}

TEST(MetadataBuilderTest, ANewTableMayHaveFormat3) {
  std::string request = kCreate;
  request.replace(request.find(R"("format-version": "2")"), 21, R"("format-version": "3")");
  const TableMetadata table = first_metadata(new_table_from_json("db", parse_json(request, "test")),
                                             "file:///w/db/t", "u", kNow);
  EXPECT_EQ(table.format_version, 3);
  EXPECT_EQ(integer_member(to_json(table), "next-row-id"), 0);
  for (const auto& [version, kind] : {std::pair("4", ErrorKind::kUnsupported),
                                      {"1", ErrorKind::kInvalid},
                                      {"x", ErrorKind::kInvalid}}) {
    std::string other = request;
    other.replace(other.find(R"("format-version": "3")") + 19, 1, version);
    EXPECT_EQ(kind_thrown_by([&] {
                first_metadata(new_table_from_json("db", parse_json(other, "test")),
                               "file:///w/db/t", "u", kNow);
              }),
              kind)
        << version;
  }
}

TEST(MetadataBuilderTest, RefusesATimeFarFromItsOwn) {
  const TableMetadata base = created();
  const std::string update = add_snapshot(11, 1) + "," + set_ref(11);
  EXPECT_EQ(kind_thrown_by([&] { updated(base, update, kNow - 3'600'000); }), ErrorKind::kInvalid);
  EXPECT_EQ(updated(base, update, kNow - 30'000).current_snapshot_id, 11);
}

TEST(MetadataBuilderTest, TablesOfViewsAreRewrittenByOthersAtMost) {
  TableMetadata base = with_two_snapshots();
  base.properties["headrace.view"] = "totals";
  EXPECT_EQ(kind_thrown_by([&] { updated(base, add_snapshot(13, 3, "12")); }), ErrorKind::kDenied);
  EXPECT_THAT(updated(base, add_snapshot(13, 3, "12", "replace")).snapshots, SizeIs(3));
}

TEST(MetadataBuilderTest, RequirementsHoldOrConflict) {
  const TableMetadata table = with_two_snapshots();
  const auto check = [&](const std::string& text, const TableMetadata* current) {
    requirement_from_json(parse_json(text, "test")).check("db.t", current);
  };
  for (const char* holds :
       {R"({"type": "assert-table-uuid", "uuid": "uuid-1"})",
        R"({"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": 12})",
        R"({"type": "assert-ref-snapshot-id", "ref": "other", "snapshot-id": null})",
        R"({"type": "assert-current-schema-id", "current-schema-id": 0})",
        R"({"type": "assert-last-assigned-field-id", "last-assigned-field-id": 4})",
        R"({"type": "assert-last-assigned-partition-id", "last-assigned-partition-id": 1000})",
        R"({"type": "assert-default-spec-id", "default-spec-id": 0})",
        R"({"type": "assert-default-sort-order-id", "default-sort-order-id": 1})"}) {
    EXPECT_NO_THROW(check(holds, &table)) << holds;
  }
  for (const char* fails :
       {R"({"type": "assert-table-uuid", "uuid": "uuid-2"})",
        R"({"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": 11})",
        R"({"type": "assert-ref-snapshot-id", "ref": "main", "snapshot-id": null})",
        R"({"type": "assert-ref-snapshot-id", "ref": "other", "snapshot-id": 12})",
        R"({"type": "assert-current-schema-id", "current-schema-id": 1})",
        R"({"type": "assert-last-assigned-field-id", "last-assigned-field-id": 3})",
        R"({"type": "assert-last-assigned-partition-id", "last-assigned-partition-id": 999})",
        R"({"type": "assert-default-spec-id", "default-spec-id": 1})",
        R"({"type": "assert-default-sort-order-id", "default-sort-order-id": 0})"}) {
    EXPECT_EQ(kind_thrown_by([&] { check(fails, &table); }), ErrorKind::kConflict) << fails;
  }
  const char* create = R"({"type": "assert-create"})";
  EXPECT_EQ(kind_thrown_by([&] { check(create, &table); }), ErrorKind::kAlreadyExists);
  EXPECT_NO_THROW(check(create, nullptr));
  EXPECT_EQ(
      kind_thrown_by([&] { check(R"({"type": "assert-table-uuid", "uuid": "x"})", nullptr); }),
      ErrorKind::kNotFound);
  EXPECT_EQ(kind_thrown_by([&] { check(R"({"type": "assert-more"})", nullptr); }),
            ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace headrace::lake
