#pragma once

// A log with a topic whose finished segments go to a folder (or to wherever a test says), in
// segments of a few records.

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "objects/object_store.h"
#include "stream/testing/log_fixture.h"

namespace headrace::stream {

std::string numbered_value(int number);
std::vector<std::string> numbered_values(int from, int to);
// One record, timestamp 1000 + number, of an idempotent producer and with a source's position.
EncodedBatch numbered_batch(int number);
// Segments of about four such records; nothing uploaded stays on the local disk.
TopicConfig tiny_tiered_config(const std::string& uri);

class TieredFixture {
 public:
  TieredFixture();
  // `objects` and `uri` instead of a folder of its own.
  TieredFixture(objects::ObjectStore& objects, std::string uri);
  // The log reads ahead until it is closed, from a store that goes before it otherwise.
  ~TieredFixture() { close(); }
  TieredFixture(const TieredFixture&) = delete;
  TieredFixture& operator=(const TieredFixture&) = delete;

  // Opens the log, or opens it again.
  Log& open();
  void close() { fixture_.close(); }
  Log& log() { return fixture_.log(); }
  // The topic "t", made on first use, with the configuration that is set by then.
  Topic& topic();
  TopicConfig& config() { return config_; }
  // Appends the numbered batches [from, to), to partition 0.
  void append(int from, int to);
  // Removes the log's directory, as a lost disk does.
  void lose_disk();
  size_t local_segments(int partition = 0) const;

  ManualClock& clock() { return fixture_.clock(); }
  FileSystem& files() { return fixture_.files(); }
  LogFixture& fixture() { return fixture_; }
  objects::ObjectStore& objects() { return *objects_; }
  const std::string& uri() const { return config_.tiered_storage.uri; }
  std::string folder() const { return uri() + "/t/0"; }
  // Of all objects of partition 0.
  std::set<std::string> object_names();

 private:
  LogFixture fixture_;
  TemporaryDirectory remote_;
  std::unique_ptr<objects::ObjectStore> folders_;
  objects::ObjectStore* objects_;
  TopicConfig config_;
};

}  // namespace headrace::stream
