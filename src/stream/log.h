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
// with unavailable until tend() has opened it again: what is on disk after a failed sync is not
// known.
//
// A topic with tiered storage keeps its older segments in object storage; reading is the same.

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

namespace headrace::objects {

class DiskCache;
class ObjectStore;

}  // namespace headrace::objects

namespace headrace::stream {

enum class Durability { kDisk, kMemory };  // answered after fdatasync; answered after write

// Where finished segments go besides the local disk. Default: nowhere. See docs/tiered-topics.md.
struct TieredStorage {
  std::string uri = {};  // s3://bucket/prefix or file:///folder; empty: they stay here
  // Local copies of uploaded segments are dropped past either; -1: never.
  int64_t local_retention_ms = 24 * 3600 * 1000LL;
  int64_t local_retention_bytes = -1;  // for each partition
  // The segment that is written to is finished, and uploaded, this long after its first record.
  int64_t upload_interval_ms = 10 * 60 * 1000LL;

  bool operator==(const TieredStorage&) const = default;
};

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
  TieredStorage tiered_storage = {};
};

struct LogOptions {
  bool read_only = false;
  int64_t max_queued_bytes =
      64 * 1024 * 1024;  // more waiting to be written: append answers unavailable
  // For topics with tiered storage; without it they are refused. Both outlive the log.
  objects::ObjectStore* objects = nullptr;
  objects::DiskCache* cache = nullptr;  // of objects in S3; nullptr: nothing is kept
};

// How a partition stands with its object storage.
struct TierStatus {
  std::string folder;  // where its objects are
  uint64_t remote_bytes = 0;
  int remote_segments = 0;
  Offset uploaded_offset = 0;  // the records before it are there
  uint64_t lag_bytes = 0;      // of finished segments that are not there yet
  int lag_segments = 0;
  std::string problem;  // why the last attempt failed; empty: it did not
  std::string note;     // what a person should know of the last start; empty: nothing
};

struct SegmentInfo {
  Offset base_offset = 0;
  Offset end_offset = 0;
  uint64_t size_bytes = 0;
  int64_t max_timestamp_ms = 0;
  int64_t last_append_ms = 0;
  bool is_local = false;
  std::string uri;  // of its object; empty: it has none
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
  virtual uint64_t size_bytes() const = 0;  // of all segments, wherever they are, each once
  virtual int segment_count() const = 0;
  virtual uint64_t local_bytes() const { return size_bytes(); }  // on the local disk
  // By offset; those in two places once.
  virtual std::vector<SegmentInfo> segments() const { return {}; }
  // nullopt when the topic has no tiered storage.
  virtual std::optional<TierStatus> tier() const { return std::nullopt; }
  // Why appends are refused at present; empty: they are not.
  virtual std::string refusal() const { return {}; }
  // Throws unavailable as long as it is not known which records there are: the local log is gone,
  // and the object storage does not answer.
  virtual void check_ready() const {}
  // Offsets below this one were given, by what somebody knows who read them. A partition of a topic
  // with tiered storage that has no records on the local disk goes on there, so that none is given
  // twice; for others it means nothing.
  virtual void skip_to(Offset /*next_offset*/) {}
  // Batches from the one holding `from` to the one holding the record before `until` (their other
  // records come too), at most about max_bytes encoded and at least one if there is any; empty at
  // the end. Offsets may be missing where a partition was restored: then the next batch comes.
  // not_found when `from` is before start_offset (the message says which offset is the oldest),
  // invalid when it is after end_offset.
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
  // What topics with tiered storage need done (uploading, dropping of local copies), and opening
  // again of partitions whose writes failed. Called about once a second by the owner, from
  // one thread; may take long, and ends soon after a stop. Never throws for what is not ready yet.
  virtual void tend(std::stop_token stop) = 0;
  // Read-only: take up what was written since. Otherwise nothing.
  virtual void refresh() = 0;
};

// The partition of a keyed record: Kafka's default partitioner (murmur2 of the key, made positive).
int partition_for_key(std::string_view key, int partition_count);

}  // namespace headrace::stream
