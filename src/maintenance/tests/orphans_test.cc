#include "maintenance/orphans.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "base/error.h"
#include "maintenance/tests/maintenance_fixture.h"

namespace headrace::maintenance {
namespace {

class OrphansTest : public MaintenanceTest {
 protected:
  OrphansTest() {
    lake_.create("edits");
    for (int i = 0; i < 3; ++i) append(i * 10, 10);
    folder_ = lake::local_path(load()->metadata.location);
  }
  Removed run(milliseconds older_than) {
    return remove_orphans(*lake_.catalog, lake_.clock, {"bronze", "edits"}, older_than);
  }
  std::string leave(const std::string& name) {
    std::string path = folder_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    lake_.files->write_new(path, "xyz");
    return path;
  }
  std::string folder_;
};

TEST_F(OrphansTest, WhatNothingRefersToGoes) {
  const std::string data = leave("data/left.parquet");
  const std::string nested = leave("data/.writing-1/a=1/part.parquet");
  const std::string manifest = leave("metadata/left-m0.avro");
  const std::string before = contents();
  EXPECT_EQ(run(std::chrono::hours(1)).files, 0);
  EXPECT_TRUE(std::filesystem::exists(data));
  const Removed removed = run(milliseconds(-1000));
  EXPECT_EQ(removed.files, 3);
  EXPECT_EQ(removed.bytes, 9);
  for (const std::string& path : {data, nested, manifest}) {
    EXPECT_FALSE(std::filesystem::exists(path)) << path;
  }
  EXPECT_EQ(contents(), before);
  EXPECT_EQ(run(milliseconds(-1000)).files, 0);
}

TEST_F(OrphansTest, WhatAnOlderSnapshotNeedsStays) {
  const lake::TablePtr before = load();
  const std::string old_contents = contents();
  const auto tasks = plan_merges(before, lake_.catalog->files(*before), {.eager = true});
  ASSERT_TRUE(merge({database_, *lake_.catalog, *lake_.files, lake_.random}, tasks.at(0)));
  EXPECT_EQ(run(milliseconds(-1000)).files, 0);
  const auto rows = connection_->query_rows(
      format("SELECT count(*) FROM ({})", lake::scan_sql(*before, lake_.catalog->files(*before))));
  EXPECT_EQ(rows[0][0], "30");
  EXPECT_EQ(contents(), old_contents);
}

TEST_F(OrphansTest, TablesThatShareFilesAreLeftAlone) {
  lake::CreateTable inside;
  inside.identifier = {"bronze", "inside"};
  inside.schema = lake::make_schema({{"id", "BIGINT"}});
  inside.location = folder_ + "/data/inside";
  lake_.catalog->create(inside);
  const std::string path = leave("data/left.parquet");
  EXPECT_THROW(run(milliseconds(-1000)), Error);
  lake_.catalog->drop(inside.identifier, false);
  lake::TableChange kept;
  kept.base = load();
  kept.set_properties = {{"gc.enabled", "false"}};
  lake_.catalog->commit({kept});
  EXPECT_EQ(run(milliseconds(-1000)).files, 0);
  EXPECT_TRUE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace headrace::maintenance
