// Tables fed straight from a topic: the topic itself is their hot rows.

#include "tables/tests/tables_fixture.h"

namespace headrace::tables {
namespace {

const lake::TableIdentifier kRaw{"bronze", "events"};

class RawTableTest : public TablesTest {
 protected:
  RawTableTest() : topic_(stream_.topic("events", {.partitions = 2})) {}
  void append(int partition, const std::vector<std::string>& values) {
    topic_.partition(partition).append(stream::batch_of(values));
  }
  Rows content() {
    return rows("SELECT _partition, _offset, value FROM bronze.events ORDER BY ALL");
  }
  stream::Topic& topic_;
};

TEST_F(RawTableTest, ShowsRecordsAsTheyArrive) {
  append(0, {"a", "b"});
  const TableState state = tables().open_target([] {
    TargetSpec spec = raw_target("events");
    spec.raw_start = {0, 0};
    return spec;
  }());
  EXPECT_TRUE(state.generations.empty());
  append(1, {"c"});
  EXPECT_EQ(content(), (Rows{{"0", "0", "a"}, {"0", "1", "b"}, {"1", "0", "c"}}));
  EXPECT_EQ(hot_tables(), 0);
}

TEST_F(RawTableTest, StartsWhereItIsTold) {
  append(0, {"a", "b", "c"});
  TargetSpec spec = raw_target("events");
  spec.raw_start = {2, 0};
  tables().open_target(spec);
  EXPECT_EQ(content(), (Rows{{"0", "2", "c"}}));
}

TEST_F(RawTableTest, FilesTakeOverFromTheTopicRecordByRecord) {
  TargetSpec spec = raw_target("events");
  spec.raw_start = {0, 0};
  tables().open_target(spec);
  append(0, {"a", "b"});
  append(1, {"c"});
  tables().rows_added(kRaw, 3);
  const auto sealed = tables().seal({kRaw}, {{"events", {1, 1}}});
  EXPECT_EQ(sealed.at(0).number, 0);
  EXPECT_EQ(sealed.at(0).raw_range.size(), 2U);
  append(1, {"d"});
  const Rows all{{"0", "0", "a"}, {"0", "1", "b"}, {"1", "0", "c"}, {"1", "1", "d"}};
  EXPECT_EQ(content(), all);
  tables().replace_committed(write_and_commit({kRaw}, sealed));
  EXPECT_EQ(content(), all);
  const TableState state = *tables().find(kRaw);
  EXPECT_EQ(state.raw_committed, (std::vector<stream::Offset>{1, 1}));
  int64_t in_files = 0;
  for (const lake::DataFile& file : *state.files) in_files += file.record_count;
  EXPECT_EQ(in_files, 2);
}

TEST_F(RawTableTest, AnotherProcessGoesOnAtTheCommittedOffsets) {
  TargetSpec spec = raw_target("events");
  spec.raw_start = {0, 0};
  tables().open_target(spec);
  append(0, {"a", "b"});
  commit({kRaw}, {{"events", {1, 0}}});
  Process other(*this);
  other.tables.load_all();
  EXPECT_EQ(other.connection->query_integer("SELECT count(*) FROM bronze.events"), 1);
  const TableState state = other.tables.open_target(spec);
  EXPECT_EQ(state.raw_committed, (std::vector<stream::Offset>{1, 0}));
  EXPECT_EQ(other.connection->query_integer("SELECT count(*) FROM bronze.events"), 2);
}

TEST_F(RawTableTest, AGrownTopicStartsItsNewPartitionsWhereItIsTold) {
  TargetSpec spec = raw_target("events");
  spec.raw_start = {0, 0};
  tables().open_target(spec);
  append(0, {"a"});
  commit({kRaw}, {{"events", {1, 0}}});
  tables().close_target(kRaw);
  stream::TopicConfig config = topic_.config();
  config.partitions = 3;
  stream_.log().alter_topic("events", config);
  append(2, {"b"});
  spec.raw_start = {0, 0, 0};
  tables().open_target(spec);
  EXPECT_EQ(content(), (Rows{{"0", "0", "a"}, {"2", "0", "b"}}));
}

}  // namespace
}  // namespace headrace::tables
