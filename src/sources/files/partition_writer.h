#pragma once

// Gathers the records of a files source into batches, one builder for each partition, and hands
// full ones on with the position of their last record. Not thread-safe.

#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "sources/append_pipeline.h"
#include "sources/files/progress.h"
#include "sources/files/record_reader.h"

namespace headrace::sources {

class PartitionWriter {
 public:
  struct Record {
    std::string_view value;
    std::optional<std::string_view> key;
    int64_t time_ms = 0;
    FileMark mark;  // after it
  };

  PartitionWriter(stream::Topic& topic, Progress& progress, AppendPipeline& pipeline,
                  size_t batch_bytes);

  // The file that the next records are of.
  void start_file(std::shared_ptr<const FileTask> task,
                  const std::vector<stream::RecordHeader>& headers);
  void add(int partition, const Record& record, std::stop_token stop);
  // All of the present file was read: batches that end in it say so.
  void complete_file(uint64_t size_on_disk);
  void flush(std::stop_token stop);
  bool is_empty() const;

 private:
  struct Pending {
    std::optional<stream::BatchBuilder> builder;  // absent while there are no records
    std::shared_ptr<const FileTask> task;         // of the last record
    FileMark mark;
  };

  void flush_partition(size_t index, std::stop_token stop);

  stream::Topic& topic_;
  Progress& progress_;
  AppendPipeline& pipeline_;
  const size_t batch_bytes_;
  const stream::Compression compression_;
  std::vector<Pending> pending_;
  std::shared_ptr<const FileTask> task_;
  std::vector<stream::RecordHeader> headers_;
};

}  // namespace headrace::sources
