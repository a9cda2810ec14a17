#include "sources/files/partition_writer.h"

namespace headrace::sources {

PartitionWriter::PartitionWriter(stream::Topic& topic, Progress& progress, AppendPipeline& pipeline,
                                 size_t batch_bytes)
    : topic_(topic),
      progress_(progress),
      pipeline_(pipeline),
      batch_bytes_(batch_bytes),
      compression_(topic.config().compression),
      pending_(static_cast<size_t>(topic.partition_count())) {}

void PartitionWriter::start_file(std::shared_ptr<const FileTask> task,
                                 const std::vector<stream::RecordHeader>& headers) {
  task_ = std::move(task);
  headers_ = headers;
}

void PartitionWriter::add(int partition, const Record& record, std::stop_token stop) {
  const auto index = static_cast<size_t>(partition);
  Pending& pending = pending_[index];
  if (!pending.builder) pending.builder = pipeline_.make_builder(compression_);
  pending.builder->add(record.time_ms, record.key, record.value, headers_);
  if (pending.task != task_) pending.task = task_;
  pending.mark = record.mark;
  if (pending.builder->size_bytes() >= batch_bytes_) flush_partition(index, std::move(stop));
}

void PartitionWriter::complete_file(uint64_t size_on_disk) {
  for (Pending& pending : pending_) {
    if (pending.builder && pending.task == task_) pending.mark.complete_size = size_on_disk;
  }
}

void PartitionWriter::flush(std::stop_token stop) {
  for (size_t i = 0; i < pending_.size(); ++i) flush_partition(i, stop);
}

bool PartitionWriter::is_empty() const {
  for (const Pending& pending : pending_) {
    if (pending.builder) return false;
  }
  return true;
}

void PartitionWriter::flush_partition(size_t index, std::stop_token stop) {
  Pending& pending = pending_[index];
  if (!pending.builder) return;
  stream::BatchBuilder builder = std::move(*pending.builder);
  pending.builder.reset();
  const int partition = static_cast<int>(index);
  builder.set_position(progress_.position(partition, *pending.task, pending.mark));
  pipeline_.submit(topic_.partition(partition), std::move(builder), std::move(stop));
}

}  // namespace headrace::sources
