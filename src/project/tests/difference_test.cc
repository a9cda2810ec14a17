#include "project/difference.h"

#include "project/tests/project_folder.h"

namespace headrace::project {
namespace {

using DifferenceTest = ProjectFolder;

TEST_F(DifferenceTest, NamesWhatChanged) {
  write("topics/a.yaml", "partitions: 1\n");
  write("topics/b.yaml", "partitions: 1\n");
  write("sources/s.yaml", "type: files\ntopic: a\npath: x\n");
  write("views/v.sql", "-- table: gold.v\nSELECT 1\n");
  const Project before = load_whole();

  write("headrace.yaml", "name: shop\nserver: {token: secret}\ncommit: {interval: 5s}\n");
  write("topics/a.yaml", "# a comment\npartitions: 1  # as it was\n");
  write("topics/b.yaml", "partitions: 2\n");
  write("topics/c.yaml", "");
  files_->remove(directory_ + "/sources/s.yaml");
  write("views/v.sql", "-- table: gold.v\nSELECT 2\n");
  const Difference difference = compare(before, load_whole());
  EXPECT_EQ(difference.to_text(),
            "topic c: added\ntopic b: changed\nsource s: removed\nview v: changed\n"
            "setting commit.interval: changed\nsetting server.token: changed\n");
  EXPECT_TRUE(compare(before, before).empty());
}

TEST_F(DifferenceTest, AnotherSecretIsSeenThoughItIsNotShown) {
  write("headrace.yaml", "name: shop\nstore: {type: postgres, url: 'postgresql://me:a@db/x'}\n");
  const Project before = load_whole();
  write("headrace.yaml", "name: shop\nstore: {type: postgres, url: 'postgresql://me:b@db/x'}\n");
  EXPECT_EQ(compare(before, load_whole()).to_text(), "setting store.url: changed\n");
}

TEST_F(DifferenceTest, FilesThatChangeAreSeen) {
  write("jobs/a.yaml", "nodes:");
  ProjectFiles watched(*files_, directory_);
  EXPECT_FALSE(watched.changed());
  write("jobs/a.yaml", "nodes:");  // a new file with the same content
  EXPECT_FALSE(watched.changed());
  write("jobs/a.yaml", "nodeS:");
  EXPECT_TRUE(watched.changed());
  EXPECT_FALSE(watched.changed());
  write("topics/t.yaml", "");
  EXPECT_TRUE(watched.changed());
  files_->remove(directory_ + "/topics/t.yaml");
  EXPECT_TRUE(watched.changed());
  write("README.md", "not a part");
  EXPECT_FALSE(watched.changed());
}

}  // namespace
}  // namespace headrace::project
