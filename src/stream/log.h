#pragma once

// The embedded durable log: topics of partitions of segments on local disk.
//
// Life cycle: open() recovers every partition (a torn tail is cut; a bad checksum before the tail
// is Error corrupt naming file and offset), then starts one writer thread; the destructor answers
// what is queued and stops it. A Log opened read-only starts no thread, cuts nothing and sees what
// was durable when refresh() was last called; it may be open beside a writing process.
//
// Thread use: every method from any thread. Topics and partitions live as long as the Log.
// Durability: an append is answered after fdatasync of its segment; one sync covers all appends
// that arrived meanwhile (group commit). A partition whose write failed refuses further appends
// with unavailable until the process reopens it: what is on disk after a failed sync is not known.

#include <chrono>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "stream/record_batch.h"
#include "telemetry/metrics.h"

namespace headrace::stream {

enum class Durability { kDisk, kMemory };  // answered after fdatasync; answered after write

struct TopicConfig {
  int partitions = 1;
  Compression compression = Compression::kLz4;  // what producers should use
  Durability durability = Durability::kDisk;
  // Counted from when a segment was last appended to, whatever its records' timestamps say: history
  // that is replayed into a topic is not old. -1: for ever.
  int64_t retention_ms = 7 * 24 * 3600 * 1000LL;
  int64_t retention_bytes = -1;            // for each partition; -1: no bound
  bool retention_ignores_readers = false;  // true: may pass a registered reader
  int64_t segment_bytes = 256 * 1024 * 1024;
  int64_t index_interval_bytes = 64 * 1024;
  int64_t max_batch_bytes = 16 * 1024 * 1024;  // encoded
};

struct LogOptions {
  bool read_only = false;
  int64_t max_queued_bytes =
      64 * 1024 * 1024;  // more waiting to be written: append answers unavailable
};

struct AppendResult {
  Offset base_offset = 0;
  Offset last_offset = 0;
  bool duplicate = false;  // the producer's batch was there already; the offsets are those of then
};

// A position kept by somebody who still needs the records from there on. Retention stops before it.
// Dropping the handle ends the registration.
class ReaderRegistration {
 public:
  virtual ~ReaderRegistration() = default;
  virtual void advance(Offset next_needed) = 0;
};

class Partition {
 public:
  virtual ~Partition() = default;

  // Appends and waits until it is durable. invalid: batch too large, sequence gap or old epoch of a
  // producer (conflict for a fenced epoch); unavailable: queue full or the partition is broken.
  virtual AppendResult append(EncodedBatch batch) = 0;
  // The same without waiting; `done` is called once from the writer thread (or at once on refusal),
  // with the result or the error. It must not block.
  using AppendDone = std::function<void(const AppendResult*, const std::exception_ptr&)>;
  virtual void append_async(EncodedBatch batch, AppendDone done) = 0;

  virtual Offset start_offset() const = 0;  // of the oldest record kept
  virtual Offset end_offset() const = 0;    // one past the last durable record
  virtual uint64_t size_bytes() const = 0;
  virtual int segment_count() const = 0;
  // Batches from the one holding `from` to the one holding the record before `until` (their other
  // records come too), at most about max_bytes encoded and at least one if there is any; empty at
  // the end. not_found when `from` is before start_offset (the message says which offset is the
  // oldest), invalid when it is after end_offset.
  virtual std::vector<Batch> read(Offset from, Offset until, size_t max_bytes) const = 0;
  std::vector<Batch> read(Offset from, size_t max_bytes) const {
    return read(from, std::numeric_limits<Offset>::max(), max_bytes);
  }
  // The first offset whose batch has a timestamp at or after `timestamp_ms`; end_offset if none.
  virtual Offset offset_for_time(int64_t timestamp_ms) const = 0;
  // Waits until end_offset() > offset. False at the deadline or on stop.
  virtual bool wait_for(Offset offset, std::chrono::milliseconds timeout,
                        std::stop_token stop) const = 0;
  // Last durable position of a source in this partition.
  virtual std::optional<std::string> source_position(const std::string& source) const = 0;
  virtual std::vector<SourcePosition> source_positions() const = 0;
  // `name` shows in errors and in system.topics.
  virtual std::unique_ptr<ReaderRegistration> register_reader(const std::string& name,
                                                              Offset next_needed) = 0;
  virtual std::vector<std::pair<std::string, Offset>> readers() const = 0;
};

class Topic {
 public:
  virtual ~Topic() = default;
  virtual const std::string& name() const = 0;
  virtual TopicConfig config() const = 0;
  virtual int partition_count() const = 0;
  virtual Partition& partition(int index) const = 0;  // not_found
  // Waits until some partition has a record at or after its entry of `offsets`.
  virtual bool wait_for_any(const std::vector<Offset>& offsets, std::chrono::milliseconds timeout,
                            std::stop_token stop) const = 0;
};

class Log {
 public:
  static std::unique_ptr<Log> open(const std::string& directory, FileSystem& files, Clock& clock,
                                   telemetry::Metrics& metrics, const LogOptions& options = {});
  virtual ~Log() = default;

  // Topic names: 1–249 of [a-zA-Z0-9._-], as Kafka's. invalid, already_exists.
  virtual Topic& create_topic(const std::string& name, const TopicConfig& config) = 0;
  virtual Topic& topic(
      const std::string& name) const = 0;  // not_found, naming the topics that are there
  virtual Topic* find_topic(const std::string& name) const = 0;
  virtual std::vector<std::string> topic_names() const = 0;
  virtual void delete_topic(const std::string& name) = 0;  // conflict while it has readers
  // Durations, sizes and durability can change; the number of partitions can grow.
  virtual void alter_topic(const std::string& name, const TopicConfig& config) = 0;
  // Drops segments past their retention. Called about once a minute by the owner.
  virtual void apply_retention() = 0;
  // Read-only: take up what was written since. Otherwise nothing.
  virtual void refresh() = 0;
};

// The partition of a keyed record: Kafka's default partitioner (murmur2 of the key, made positive).
int partition_for_key(std::string_view key, int partition_count);

}  // namespace headrace::stream
