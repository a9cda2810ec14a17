#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "lake/table.h"
#include "lake/testing/error_kind.h"

namespace headrace::lake {
namespace {

Json foreign_metadata() {
  return parse_json(R"({
    "format-version": 2, "table-uuid": "u", "location": "file:///t", "last-sequence-number": 1,
    "last-updated-ms": 5, "last-column-id": 1, "current-schema-id": 0,
    "schemas": [{"type": "struct", "schema-id": 0, "identifier-field-ids": [1],
                 "fields": [{"id": 1, "name": "id", "required": true, "type": "long"}]}],
    "default-spec-id": 0, "partition-specs": [{"spec-id": 0, "fields": []}],
    "last-partition-id": 999, "default-sort-order-id": 0,
    "sort-orders": [{"order-id": 0, "fields": []}], "properties": {"owner": "them"},
    "current-snapshot-id": 7, "refs": {"main": {"snapshot-id": 7, "type": "branch"}},
    "snapshots": [{"snapshot-id": 7, "sequence-number": 1, "timestamp-ms": 5, "schema-id": 0,
                   "manifest-list": "file:///t/m", "summary": {"operation": "append"},
                   "key-id": "k"}],
    "snapshot-log": [{"timestamp-ms": 5, "snapshot-id": 7}], "metadata-log": [],
    "statistics": [{"snapshot-id": 7, "statistics-path": "s"}], "encryption-keys": [{"a": 1}]})",
                    "metadata");
}

TEST(TableMetadataTest, MembersOfOtherEnginesSurvive) {
  EXPECT_EQ(to_json(table_metadata_from_json(foreign_metadata())), foreign_metadata());
}

TEST(TableMetadataTest, KeptTextsOfSnapshotsSayTheSame) {
  TableMetadata metadata = table_metadata_from_json(foreign_metadata());
  EXPECT_EQ(parse_json(to_text(metadata), "text"), foreign_metadata());
  keep_snapshot_texts(metadata);
  EXPECT_EQ(parse_json(to_text(metadata), "text"), foreign_metadata());
  metadata.snapshots.clear();
  EXPECT_TRUE(member(parse_json(to_text(metadata), "text"), "snapshots").as_array().empty());
}

TEST(TableMetadataTest, WhatCannotBeReadIsRefused) {
  const std::pair<const char*, std::pair<Json, ErrorKind>> cases[] = {
      {"format-version", {4, ErrorKind::kUnsupported}},
      {"format-version", {1, ErrorKind::kUnsupported}},
      {"current-schema-id", {4, ErrorKind::kCorrupt}},
      {"default-spec-id", {4, ErrorKind::kCorrupt}},
      {"current-snapshot-id", {8, ErrorKind::kCorrupt}},
      {"properties", {JsonArray{}, ErrorKind::kCorrupt}},
      {"location", {nullptr, ErrorKind::kCorrupt}}};
  for (const auto& [member, change] : cases) {
    Json json = foreign_metadata();
    json.as_object()[member] = change.first;
    EXPECT_EQ(kind_thrown_by([&] { table_metadata_from_json(json); }), change.second) << member;
  }
}

// The same in format version 3.
Json foreign_metadata_3() {
  Json json = foreign_metadata();
  JsonObject& table = json.as_object();
  table["format-version"] = 3;
  table["next-row-id"] = 30;
  table.erase("encryption-keys");
  JsonObject& snapshot = table["snapshots"].as_array()[0].as_object();
  snapshot.erase("key-id");
  snapshot["first-row-id"] = 10;
  snapshot["added-rows"] = 20;
  return json;
}

TEST(TableMetadataTest, Format3IsReadAndWritten) {
  const TableMetadata metadata = table_metadata_from_json(foreign_metadata_3());
  EXPECT_EQ(metadata.format_version, 3);
  EXPECT_EQ(metadata.next_row_id, 30);
  EXPECT_EQ(metadata.snapshots.at(0).first_row_id, 10);
  EXPECT_EQ(metadata.snapshots.at(0).added_rows, 20);
  EXPECT_EQ(to_json(metadata), foreign_metadata_3());
}

TEST(TableMetadataTest, WhatCannotBeReadOfFormat3IsNamed) {
  using Change = std::function<void(JsonObject & table, JsonObject & snapshot, JsonObject & field)>;
  struct Case {
    Change change;
    ErrorKind kind;
    std::string said;
  };
  const auto with_type = [](const char* type) {
    return Case{[type](JsonObject&, JsonObject&, JsonObject& field) { field["type"] = type; },
                ErrorKind::kUnsupported, std::string("\"") + type + "\""};
  };
  const std::vector<Case> cases = {
      {[](auto& table, auto&, auto&) { table.erase("next-row-id"); }, ErrorKind::kCorrupt,
       "next-row-id"},
      {[](auto& table, auto&, auto&) { table["next-row-id"] = -1; }, ErrorKind::kCorrupt,
       "next-row-id"},
      {[](auto& table, auto&, auto&) { table["next-row-id"] = 29; }, ErrorKind::kCorrupt,
       "snapshot 7"},
      {[](auto&, auto& snapshot, auto&) { snapshot["added-rows"] = -1; }, ErrorKind::kCorrupt,
       "added-rows"},
      {[](auto& table, auto&, auto&) { table["encryption-keys"] = JsonArray{JsonObject{}}; },
       ErrorKind::kUnsupported, "encryption-keys"},
      {[](auto&, auto& snapshot, auto&) { snapshot["key-id"] = "k"; }, ErrorKind::kUnsupported,
       "encrypted"},
      {[](auto&, auto&, auto& field) { field["initial-default"] = 5; }, ErrorKind::kUnsupported,
       "\"id\" has a \"initial-default\""},
      {[](auto&, auto&, auto& field) { field["write-default"] = 5; }, ErrorKind::kUnsupported,
       "\"write-default\""},
      {[](auto& table, auto&, auto&) {
         table["partition-specs"].as_array()[0].as_object()["fields"] =
             JsonArray{JsonObject{{"source-ids", JsonArray{1, 2}},
                                  {"field-id", 1000},
                                  {"name", "b"},
                                  {"transform", "bucket[4]"}}};
       },
       ErrorKind::kUnsupported, "source-ids"},
      with_type("variant"),
      with_type("geometry(OGC:CRS84)"),
      with_type("geography"),
      with_type("unknown"),
      with_type("timestamp_ns"),
      with_type("timestamptz_ns")};
  for (const Case& test : cases) {
    Json json = foreign_metadata_3();
    JsonObject& table = json.as_object();
    test.change(table, table["snapshots"].as_array()[0].as_object(),
                table["schemas"].as_array()[0].as_object()["fields"].as_array()[0].as_object());
    try {
      table_metadata_from_json(json);
      ADD_FAILURE() << test.said;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), test.kind) << test.said;
      EXPECT_THAT(error.message(), ::testing::HasSubstr(test.said));
    }
  }
}

TEST(TableMetadataTest, MinusOneIsNoSnapshot) {
  Json json = foreign_metadata();
  json.as_object()["current-snapshot-id"] = -1;
  EXPECT_EQ(table_metadata_from_json(json).current_snapshot(), nullptr);
}

TEST(UriTest, OnlyLocalFilesAreOpened) {
  EXPECT_EQ(local_path("file:///a b/c"), "/a b/c");
  EXPECT_EQ(local_path("file:/a"), "/a");
  EXPECT_EQ(file_uri("/a b"), "file:///a b");
  for (const char* uri : {"s3://bucket/a", "file://host/a", "a/b"}) {
    EXPECT_EQ(kind_thrown_by([&] { local_path(uri); }), ErrorKind::kInvalid) << uri;
  }
}

}  // namespace
}  // namespace headrace::lake
