#pragma once

// A folder, a clock, metrics and a topic in memory: all that a source needs in a test.

#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "sources/source.h"
#include "sources/source_type.h"
#include "sources/testing/memory_topic.h"
#include "telemetry/metrics.h"

namespace headrace::sources {

// Time that passes at once: whoever sleeps moves it on and looks whether to stop.
class LeapingClock final : public Clock {
 public:
  Timestamp now() const override { return Timestamp(microseconds(micros_)); }
  SteadyTime steady_now() const override { return SteadyTime(microseconds(micros_)); }
  bool sleep_for(microseconds duration, std::stop_token stop) override;

 private:
  std::atomic<int64_t> micros_{1'442'016'000'000'000};  // 2015-09-12
};

class SourceBench {
 public:
  explicit SourceBench(int partitions = 1);
  ~SourceBench();

  void write(const std::string& path, const std::string& content);
  void append(const std::string& path, const std::string& content);
  void rename(const std::string& from, const std::string& to);
  void remove(const std::string& path);
  void truncate(const std::string& path, const std::string& content);  // keeps the inode
  std::string full_path(const std::string& path) const { return directory_ + "/" + path; }

  // From YAML without name, type and topic. `files` and `clock`: others than the bench's own.
  std::unique_ptr<Source> make(const std::string& yaml, FileSystem* files = nullptr,
                               Clock* clock = nullptr);
  // Runs a source of mode once to its end and returns its status.
  SourceStatus run(const std::string& yaml, FileSystem* files = nullptr);

  FileSystem& files() { return *files_; }
  MemoryTopic& topic() { return *topic_; }
  telemetry::Metrics& metrics() { return *metrics_; }
  LeapingClock& clock() { return clock_; }
  void reset_topic(int partitions);

 private:
  std::string directory_;
  std::unique_ptr<FileSystem> files_;
  LeapingClock clock_;
  SeededRandom random_{7};
  std::unique_ptr<telemetry::Metrics> metrics_;
  std::unique_ptr<MemoryTopic> topic_;
};

// Runs a source on a thread until it is stopped.
class RunningSource {
 public:
  explicit RunningSource(std::unique_ptr<Source> source);
  ~RunningSource() { stop(); }
  SourceStatus status() const { return source_->status(); }
  void stop();
  // Waits for the state; false after ten seconds.
  bool wait_for(SourceState state) const;

 private:
  std::unique_ptr<Source> source_;
  std::jthread thread_;
};

}  // namespace headrace::sources
