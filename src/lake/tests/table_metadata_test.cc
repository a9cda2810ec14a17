#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
      {"format-version", {3, ErrorKind::kUnsupported}},
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
