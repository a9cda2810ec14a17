#include <climits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stream/producer_table.h"
#include "stream/testing/log_fixture.h"

namespace headrace::stream {
namespace {

using testing::HasSubstr;

// One append by producer 7 and what is to come of it.
struct Step {
  const char* what;
  ProducerStamp stamp;
  int32_t records;
  const char* expected;  // "new", "duplicate", "invalid" or "conflict"
};

std::string outcome(ProducerTable& table, const Step& step, Offset& end) {
  try {
    if (table.check(step.stamp, step.records)) return "duplicate";
  } catch (const Error& error) {
    return std::string(codes_of(error.kind()).name);
  }
  table.note(step.stamp, step.records, end);
  end += step.records;
  return "new";
}

void run(const std::vector<Step>& steps) {
  ProducerTable table;
  Offset end = 0;
  for (const Step& step : steps) {
    table = ProducerTable::from_json(Json(table.to_json()));  // as after a restart
    EXPECT_EQ(outcome(table, step, end), step.expected) << step.what;
  }
}

TEST(ProducerTable, FollowsKafkasRules) {
  run({{"the first", {7, 0, 0}, 10, "new"},
       {"again", {7, 0, 0}, 10, "duplicate"},
       {"again, but of another size", {7, 0, 0}, 9, "invalid"},
       {"the next", {7, 0, 10}, 5, "new"},
       {"a gap", {7, 0, 16}, 1, "invalid"},
       {"before", {7, 0, 14}, 1, "invalid"},
       {"no producer", {}, 3, "new"},
       {"another producer may begin anywhere", {8, 4, 100}, 1, "new"},
       {"a newer epoch begins at 0", {7, 2, 15}, 1, "invalid"},
       {"a newer epoch", {7, 2, 0}, 1, "new"},
       {"the old epoch is fenced", {7, 0, 15}, 1, "conflict"},
       {"even for what was a repetition", {7, 0, 0}, 10, "conflict"},
       {"the newer goes on", {7, 2, 1}, 1, "new"}});
}

TEST(ProducerTable, RemembersFiveBatches) {
  std::vector<Step> steps;
  for (int32_t i = 0; i < 6; ++i) steps.push_back({"one of six", {7, 0, i}, 1, "new"});
  for (int32_t i = 1; i < 6; ++i) steps.push_back({"one of five", {7, 0, i}, 1, "duplicate"});
  steps.push_back({"the sixth back", {7, 0, 0}, 1, "invalid"});
  run(steps);
}

TEST(ProducerTable, SequencesWrap) {
  EXPECT_EQ(advance_sequence(INT32_MAX, 1), 0);
  EXPECT_EQ(advance_sequence(INT32_MAX - 1, 1), INT32_MAX);
  EXPECT_EQ(advance_sequence(INT32_MAX - 1, 4), 2);
  run({{"close to the end", {7, 0, INT32_MAX - 2}, 2, "new"},
       {"over the end", {7, 0, INT32_MAX}, 3, "new"},
       {"over the end again", {7, 0, INT32_MAX}, 3, "duplicate"},
       {"after the end", {7, 0, 2}, 1, "new"}});
}

TEST(ProducerTable, ForgetsTheQuietest) {
  ProducerTable table;
  const auto count = static_cast<int64_t>(ProducerTable::kMaxProducers) + 1;
  for (int64_t id = 0; id < count; ++id) table.note({id, 0, 0}, 1, id);
  EXPECT_LE(table.size(), ProducerTable::kMaxProducers);
  EXPECT_GE(table.size(), ProducerTable::kMaxProducers * 8 / 10);
  EXPECT_TRUE(table.check({count - 1, 0, 0}, 1).has_value());
  EXPECT_FALSE(table.check({0, 0, 0}, 1).has_value());
}

TEST(IdempotentAppend, ARepetitionAnswersWithTheOffsetsOfThen) {
  LogFixture fixture;
  TopicConfig config;
  config.segment_bytes = 300;
  for (int32_t i = 0; i < 12; ++i) {
    Partition& partition = fixture.topic("t", config).partition(0);
    const EncodedBatch batch = batch_of({"a", "b"}, {7, 1, 2 * i});
    EXPECT_EQ(partition.append(batch).base_offset, 2 * i);
    if (i % 3 == 0) fixture.open();
    const AppendResult again = fixture.topic("t").partition(0).append(batch);
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.base_offset, 2 * i);
    EXPECT_EQ(again.last_offset, 2 * i + 1);
  }
  Partition& partition = fixture.topic("t").partition(0);
  EXPECT_EQ(partition.end_offset(), 24);
  EXPECT_THAT(message_of_failure([&] { partition.append(batch_of({"x"}, {7, 1, 99})); }),
              HasSubstr("expected was 24"));
  EXPECT_EQ(kind_of_failure([&] { partition.append(batch_of({"x"}, {7, 0, 24})); }),
            ErrorKind::kConflict);
  EXPECT_EQ(kind_of_failure([&] { partition.append(batch_of({"x"}, {7, -1, 24})); }),
            ErrorKind::kInvalid);
}

TEST(IdempotentAppend, RepetitionsQueuedTogetherAreFound) {
  LogFixture fixture;
  Partition& partition = fixture.topic("t").partition(0);
  std::atomic<int> duplicates{0};
  constexpr int kTimes = 50;
  for (int i = 0; i < kTimes; ++i) {
    partition.append_async(batch_of({"x"}, {7, 0, 0}),
                           [&](const AppendResult* result, const std::exception_ptr&) {
                             if (result != nullptr && result->duplicate) ++duplicates;
                           });
  }
  partition.append(batch_of({"end"}));
  EXPECT_EQ(duplicates, kTimes - 1);
  EXPECT_EQ(partition.end_offset(), 2);
}

}  // namespace
}  // namespace headrace::stream
