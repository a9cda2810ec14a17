#include "stream/testing/tiered_fixture.h"

#include <algorithm>

#include "objects/folder_store.h"
#include "objects/uri.h"

namespace headrace::stream {

std::string numbered_value(int number) { return format("value {:04}", number); }

EncodedBatch numbered_batch(int number) {
  BatchBuilder builder(Compression::kNone, {7, 0, number});
  builder.add(1000 + number, std::nullopt, numbered_value(number));
  builder.set_position({"source", std::to_string(number)});
  return builder.encode();
}

TopicConfig tiny_tiered_config(const std::string& uri) {
  TopicConfig config;
  config.segment_bytes = 600;
  config.index_interval_bytes = 1;
  config.retention_ms = -1;
  config.tiered_storage.uri = uri;
  config.tiered_storage.local_retention_bytes = 0;
  return config;
}

TieredFixture::TieredFixture()
    : folders_(objects::make_folder_store(fixture_.files())),
      objects_(folders_.get()),
      config_(tiny_tiered_config(objects::file_uri(remote_.path() + "/topics"))) {}

TieredFixture::TieredFixture(objects::ObjectStore& objects, std::string uri)
    : objects_(&objects), config_(tiny_tiered_config(std::move(uri))) {}

Log& TieredFixture::open() {
  LogOptions options;
  options.objects = objects_;
  return fixture_.open(options);
}

Topic& TieredFixture::topic() {
  if (!fixture_.is_open()) open();
  return fixture_.topic("t", config_);
}

void TieredFixture::append(int from, int to) {
  Partition& partition = topic().partition(0);
  for (int i = from; i < to; ++i) partition.append(numbered_batch(i));
}

void TieredFixture::lose_disk() {
  close();
  files().remove_all(fixture_.directory());
}

size_t TieredFixture::local_segments(int partition) const {
  const std::vector<FileInfo> files =
      fixture_.files().list(format("{}/t/{}", fixture_.directory(), partition));
  return static_cast<size_t>(std::count_if(files.begin(), files.end(), [](const FileInfo& file) {
    return file.name.ends_with(".log");
  }));
}

}  // namespace headrace::stream
