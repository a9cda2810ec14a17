#include "stream/testing/log_fixture.h"

#include <gtest/gtest.h>

namespace headrace::stream {

EncodedBatch batch_of(const std::vector<std::string>& values, ProducerStamp producer,
                      int64_t first_timestamp_ms, Compression compression) {
  BatchBuilder builder(compression, producer);
  for (const std::string& value : values) builder.add(first_timestamp_ms++, std::nullopt, value);
  return builder.encode();
}

EncodedBatch batch_at(const std::string& value, const SourcePosition& position) {
  BatchBuilder builder(Compression::kNone);
  builder.add(1000, std::nullopt, value);
  builder.set_position(position);
  return builder.encode();
}

std::vector<std::string> values_of(const Partition& partition, Offset from, size_t max_bytes) {
  std::vector<std::string> values;
  std::vector<RecordView> records;
  while (from < partition.end_offset()) {
    for (const Batch& batch : partition.read(from, max_bytes)) {
      batch.records(records);
      for (const RecordView& record : records) {
        if (record.offset < from) continue;
        values.emplace_back(record.value.value_or("(null)"));
        EXPECT_EQ(record.offset, from);
        ++from;
      }
    }
  }
  return values;
}

ErrorKind kind_of_failure(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::kInternal;
}

std::string message_of_failure(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.message();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

LogFixture::LogFixture()
    : own_files_(make_posix_file_system()),
      files_(own_files_.get()),
      clock_(SystemClock().now()),
      metrics_(telemetry::make_metrics()) {}

LogFixture::LogFixture(FileSystem& files) : LogFixture() { files_ = &files; }

Log& LogFixture::open(const LogOptions& options) {
  log_.reset();
  log_ = Log::open(directory_.path(), *files_, clock_, *metrics_, options);
  return *log_;
}

Topic& LogFixture::topic(const std::string& name, const TopicConfig& config) {
  if (log_ == nullptr) open();
  Topic* found = log_->find_topic(name);
  return found != nullptr ? *found : log_->create_topic(name, config);
}

std::string LogFixture::log_file(const std::string& topic, int partition,
                                 Offset base_offset) const {
  return format("{}/{}/{}/{:020}.log", directory_.path(), topic, partition, base_offset);
}

void LogFixture::copy_to(const std::string& directory) const {
  std::filesystem::copy(
      directory_.path(), directory,
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
}

}  // namespace headrace::stream
