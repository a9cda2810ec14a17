#pragma once

// What a test of the log needs: a directory, a clock, metrics, and short ways to append and read.

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file_system.h"
#include "stream/log.h"
#include "stream/testing/temporary_directory.h"

namespace headrace::stream {

// A batch of the given values, with timestamps from `first_timestamp_ms` on, one apart.
EncodedBatch batch_of(const std::vector<std::string>& values, ProducerStamp producer = {},
                      int64_t first_timestamp_ms = 1000,
                      Compression compression = Compression::kNone);
EncodedBatch batch_at(const std::string& value, const SourcePosition& position);

// The values of all records from `from` on.
std::vector<std::string> values_of(const Partition& partition, Offset from = 0,
                                   size_t max_bytes = 1 << 20);

// The kind of the Error that `action` throws; a test failure when it throws none.
ErrorKind kind_of_failure(const std::function<void()>& action);
std::string message_of_failure(const std::function<void()>& action);

// Opens, closes and opens again the log in one directory.
class LogFixture {
 public:
  LogFixture();
  explicit LogFixture(FileSystem& files);

  Log& open(const LogOptions& options = {});  // closes the one open before
  void close() { log_.reset(); }
  bool is_open() const { return log_ != nullptr; }
  Log& log() { return *log_; }
  // The topic, made on first use.
  Topic& topic(const std::string& name, const TopicConfig& config = {});

  const std::string& directory() const { return directory_.path(); }
  std::string log_file(const std::string& topic, int partition, Offset base_offset) const;
  FileSystem& files() const { return *files_; }
  ManualClock& clock() { return clock_; }
  telemetry::Metrics& metrics() { return *metrics_; }
  // Copies the directory as it is: what a crash at this instant would leave.
  void copy_to(const std::string& directory) const;

 private:
  TemporaryDirectory directory_;
  std::unique_ptr<FileSystem> own_files_;
  FileSystem* files_;
  ManualClock clock_;
  std::unique_ptr<telemetry::Metrics> metrics_;
  std::unique_ptr<Log> log_;
};

}  // namespace headrace::stream
