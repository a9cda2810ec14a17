// A partition whose write failed takes appends again by itself.

#include <gtest/gtest.h>

#include "base/testing/faulty_file_system.h"
#include "stream/testing/log_fixture.h"

namespace headrace::stream {
namespace {

TEST(Reopening, APartitionTakesAppendsAgainByItself) {
  const auto posix = make_posix_file_system();
  int before = 0;
  for (const bool measuring : {true, false}) {
    FaultyFileSystem files(*posix, measuring ? 0 : before + 1);
    LogFixture fixture(files);
    Partition& partition = fixture.topic("t").partition(0);
    partition.append(batch_of({"kept"}, {7, 0, 0}));
    before = files.operations();
    if (measuring) continue;
    EXPECT_EQ(kind_of_failure([&] { partition.append(batch_of({"torn"}, {7, 0, 1})); }),
              ErrorKind::kUnavailable);
    EXPECT_NE(partition.refusal(), "");
    fixture.log().tend({});
    EXPECT_EQ(partition.refusal(), "");
    EXPECT_EQ(partition.end_offset(), 1);
    EXPECT_FALSE(partition.append(batch_of({"again"}, {7, 0, 1})).duplicate);
    EXPECT_EQ(values_of(partition), (std::vector<std::string>{"kept", "again"}));
    fixture.open();
    EXPECT_EQ(values_of(fixture.topic("t").partition(0)),
              (std::vector<std::string>{"kept", "again"}));
  }
}

TEST(Reopening, AFullDiskIsTriedMoreAndMoreSeldom) {
  const auto posix = make_posix_file_system();
  int before = 0;
  for (const bool measuring : {true, false}) {
    FaultyFileSystem files(*posix, measuring ? 0 : before + 1, true);
    LogFixture fixture(files);
    Partition& partition = fixture.topic("t").partition(0);
    before = files.operations();
    if (measuring) continue;
    EXPECT_EQ(kind_of_failure([&] { partition.append(batch_of({"x"})); }), ErrorKind::kUnavailable);
    int attempts = 0;
    for (int second = 0; second < 120; ++second) {
      const int operations = files.operations();
      fixture.log().tend({});
      attempts += files.operations() > operations ? 1 : 0;
      fixture.clock().advance(std::chrono::seconds(1));
    }
    EXPECT_GE(attempts, 5);
    EXPECT_LE(attempts, 10);
    EXPECT_NE(partition.refusal(), "");
  }
}

}  // namespace
}  // namespace headrace::stream
