// Topics whose older segments are in object storage: uploading, reading, dropping, coming back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "objects/folder_store.h"
#include "objects/uri.h"
#include "stream/remote_manifest.h"
#include "stream/testing/tiered_fixture.h"

namespace headrace::stream {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::string> values(int from, int to) {
  std::vector<std::string> all;
  for (int i = from; i < to; ++i) all.push_back(numbered_value(i));
  return all;
}

TEST(Tiered, UploadsFinishedSegmentsAndReadsThemBack) {
  TieredFixture tiered;
  Partition& partition = tiered.topic().partition(0);
  tiered.append(0, 20);
  tiered.log().tend({});
  const TierStatus status = partition.tier().value();
  EXPECT_EQ(status.problem, "");
  EXPECT_GT(status.remote_segments, 2);
  EXPECT_EQ(status.lag_segments, 0);
  // Local copies are dropped at once here: only the active segment stays.
  EXPECT_EQ(tiered.local_segments(), 1U);
  EXPECT_EQ(partition.start_offset(), 0);
  EXPECT_EQ(values_of(partition), values(0, 20));
  EXPECT_EQ(values_of(partition, 0, 1), values(0, 20));  // batch by batch
  EXPECT_EQ(values_of(partition, 7), values(7, 20));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(partition.offset_for_time(1000 + i), i);
  EXPECT_EQ(partition.offset_for_time(5000), 20);
}

}  // namespace
}  // namespace headrace::stream
