// What every registered source keeps to. A new one adds a trial: the settings and data by which it
// can be run here.

#include <functional>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/format.h"
#include "sources/source_type.h"
#include "sources/testing/source_bench.h"

namespace headrace::sources {
namespace {

using testing::HasSubstr;

struct Trial {
  std::string settings;
  std::function<void(SourceBench&)> prepare;  // offers the records 0 to 99
};

const std::map<std::string, Trial>& trials() {
  static const std::map<std::string, Trial> all{
      {"files", {"path: '*.txt'\nmode: watch\nbatch_bytes: 32B\n", [](SourceBench& bench) {
                   for (int i = 0; i < 100; ++i)
                     bench.append(format("{}.txt", i % 5), format("{}\n", i));
                 }}}};
  return all;
}

class SourceContract : public testing::TestWithParam<std::string> {
 protected:
  const SourceType& type() const { return *find_source_type(GetParam()); }
  config::Problems problems_of(const std::string& yaml) const {
    config::Problems problems;
    type().read(config::parse_yaml(yaml, "sources/x.yaml", problems).root(), problems);
    return problems;
  }
};

TEST_P(SourceContract, DescribesItself) {
  EXPECT_FALSE(type().summary.empty());
  EXPECT_FALSE(type().fields.fields.empty());
  for (const config::Field& field : type().fields.fields) EXPECT_FALSE(field.help.empty());
}

TEST_P(SourceContract, ItsExampleIsRight) {
  EXPECT_FALSE(problems_of(type().example).has_errors()) << problems_of(type().example).to_text();
  EXPECT_THAT(type().example, HasSubstr("type: " + GetParam()));
}

TEST_P(SourceContract, RejectsAnUnknownOptionByName) {
  EXPECT_THAT(problems_of(type().example + "no_such_option: 1\n").to_text(),
              HasSubstr("no_such_option"));
}

TEST_P(SourceContract, StopsWithinADeadlineWhateverItDoes) {
  const Trial& trial = trials().at(GetParam());
  for (const int broken_from : {0, 1, 3}) {
    SourceBench bench;
    trial.prepare(bench);
    bench.topic().set_faults({.broken_from = broken_from});
    RunningSource source(bench.make(trial.settings));
    if (broken_from == 0) {
      ASSERT_TRUE(bench.topic().wait_for_records(100));
    } else {
      ASSERT_TRUE(source.wait_for(SourceState::kWaiting));
    }
    source.stop();  // the test's own time limit is the deadline
    EXPECT_EQ(source.status().state, SourceState::kStopped);
  }
}

TEST_P(SourceContract, GoesOnWhereItStood) {
  const Trial& trial = trials().at(GetParam());
  std::vector<std::string> expected;
  for (int i = 0; i < 100; ++i) expected.push_back(std::to_string(i));
  for (int n = 1; n < 12; ++n) {
    SourceBench bench;
    trial.prepare(bench);
    bench.topic().set_faults({.broken_from = n});
    {
      RunningSource source(bench.make(trial.settings));
      while (source.status().retries == 0) std::this_thread::yield();
    }
    bench.topic().set_faults({});
    RunningSource source(bench.make(trial.settings));
    ASSERT_TRUE(bench.topic().wait_for_records(100));
    source.stop();
    EXPECT_THAT(bench.topic().all_values(), testing::UnorderedElementsAreArray(expected));
  }
}

TEST_P(SourceContract, EmitsTheMetricsThatAreAskedOfIt) {
  const Trial& trial = trials().at(GetParam());
  SourceBench bench;
  trial.prepare(bench);
  RunningSource source(bench.make(trial.settings));
  ASSERT_TRUE(bench.topic().wait_for_records(100));
  ASSERT_TRUE(source.wait_for(SourceState::kWaiting));
  source.stop();
  const std::string metrics = bench.metrics().expose();
  for (const char* name : {"bytes_total", "errors_total", "retries_total", "lag_bytes"}) {
    EXPECT_THAT(metrics, HasSubstr(format("headrace_source_{}{{source=\"test\"}}", name)));
  }
  EXPECT_THAT(metrics, HasSubstr("headrace_source_records_total{source=\"test\"} 100"));
}

std::vector<std::string> type_names() {
  std::vector<std::string> names;
  for (const SourceType& type : source_types()) names.push_back(type.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(All, SourceContract, testing::ValuesIn(type_names()),
                         [](const testing::TestParamInfo<std::string>& tested) {
                           return tested.param;
                         });

}  // namespace
}  // namespace headrace::sources
