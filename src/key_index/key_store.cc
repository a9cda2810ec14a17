#include "key_index/key_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "base/error.h"

namespace headrace::key_index {
namespace {

// Keys and notes share the store, apart by their first byte.
constexpr char kKeyPrefix = 'k';
constexpr char kNotePrefix = 'n';
constexpr size_t kCacheBytes = 64UL * 1024 * 1024;
constexpr size_t kWriteBufferBytes = 32UL * 1024 * 1024;
constexpr double kFilterBitsPerKey = 10;
constexpr size_t kNumberBytes = sizeof(uint32_t);

void check(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return;
  const ErrorKind kind = status.IsCorruption() || status.IsInvalidArgument()
                             ? ErrorKind::kCorrupt
                             : ErrorKind::kUnavailable;
  fail(kind, "{} the key index: {}", doing, status.ToString());
}

std::string prefixed(char prefix, std::string_view name) {
  std::string key;
  key.reserve(name.size() + 1);
  key += prefix;
  key += name;
  return key;
}

void append_number(std::string& bytes, uint32_t number) {
  for (size_t i = 0; i < kNumberBytes; ++i) bytes += static_cast<char>(number >> (8 * i));
}

uint32_t number_at(std::string_view bytes, size_t offset) {
  uint32_t number = 0;
  for (size_t i = 0; i < kNumberBytes; ++i) {
    number |= static_cast<uint32_t>(static_cast<uint8_t>(bytes[offset + i])) << (8 * i);
  }
  return number;
}

std::string to_bytes(const KeyEntry& entry) {
  std::string bytes;
  append_number(bytes, entry.file);
  append_number(bytes, entry.position);
  bytes += entry.sequence;
  return bytes;
}

KeyEntry entry_of(std::string_view bytes) {
  if (bytes.size() < 2 * kNumberBytes) {
    fail(ErrorKind::kCorrupt, "reading the key index: an entry has {} bytes", bytes.size());
  }
  return {number_at(bytes, 0), number_at(bytes, kNumberBytes),
          std::string(bytes.substr(2 * kNumberBytes))};
}

rocksdb::Options options_of_store() {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kCacheBytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kFilterBitsPerKey));
  table.cache_index_and_filter_blocks = true;
  rocksdb::Options options;
  options.create_if_missing = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.compression = rocksdb::kLZ4Compression;
  options.write_buffer_size = kWriteBufferBytes;
  options.max_background_jobs = 2;
  options.max_open_files = 256;
  options.keep_log_file_num = 2;
  options.max_log_file_size = 1024UL * 1024;
  options.info_log_level = rocksdb::WARN_LEVEL;
  return options;
}

}  // namespace

struct KeyStore::State {
  std::unique_ptr<rocksdb::DB> database;
};

struct KeyStore::Batch::State {
  rocksdb::WriteBatch batch;
};

KeyStore::Batch::Batch() : state_(std::make_unique<State>()) {}
KeyStore::Batch::~Batch() = default;

void KeyStore::Batch::put(std::string_view key, const KeyEntry& entry) {
  check(state_->batch.Put(prefixed(kKeyPrefix, key), to_bytes(entry)), "writing");
}

void KeyStore::Batch::erase(std::string_view key) {
  check(state_->batch.Delete(prefixed(kKeyPrefix, key)), "writing");
}

void KeyStore::Batch::put_note(std::string_view name, std::string_view value) {
  check(state_->batch.Put(prefixed(kNotePrefix, name), rocksdb::Slice(value.data(), value.size())),
        "writing");
}

void KeyStore::Batch::erase_note(std::string_view name) {
  check(state_->batch.Delete(prefixed(kNotePrefix, name)), "writing");
}

size_t KeyStore::Batch::size_bytes() const { return state_->batch.GetDataSize(); }

KeyStore::KeyStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
KeyStore::~KeyStore() = default;

std::unique_ptr<KeyStore> KeyStore::open(const std::string& directory) {
  auto state = std::make_unique<State>();
  rocksdb::DB* database = nullptr;
  check(rocksdb::DB::Open(options_of_store(), directory, &database), "opening");
  state->database.reset(database);
  return std::unique_ptr<KeyStore>(new KeyStore(std::move(state)));
}

std::vector<std::optional<KeyEntry>> KeyStore::find(const std::vector<std::string_view>& keys) {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const std::string_view key : keys) names.push_back(prefixed(kKeyPrefix, key));
  const std::vector<rocksdb::Slice> slices(names.begin(), names.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  state_->database->MultiGet(rocksdb::ReadOptions(), state_->database->DefaultColumnFamily(),
                             slices.size(), slices.data(), values.data(), statuses.data());
  std::vector<std::optional<KeyEntry>> found(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    check(statuses[i], "reading");
    found[i] = entry_of(values[i].ToStringView());
  }
  return found;
}

std::optional<std::string> KeyStore::note(std::string_view name) {
  std::string value;
  const rocksdb::Status status =
      state_->database->Get(rocksdb::ReadOptions(), prefixed(kNotePrefix, name), &value);
  if (status.IsNotFound()) return std::nullopt;
  check(status, "reading");
  return value;
}

std::vector<KeyStore::Note> KeyStore::notes(std::string_view prefix) {
  const std::string start = prefixed(kNotePrefix, prefix);
  const std::unique_ptr<rocksdb::Iterator> at(
      state_->database->NewIterator(rocksdb::ReadOptions()));
  std::vector<Note> result;
  for (at->Seek(start); at->Valid() && at->key().starts_with(start); at->Next()) {
    result.push_back({at->key().ToString().substr(1), at->value().ToString()});
  }
  check(at->status(), "reading");
  return result;
}

void KeyStore::write(Batch& batch, bool is_bulk) {
  rocksdb::WriteOptions options;
  options.disableWAL = is_bulk;
  check(state_->database->Write(options, &batch.state_->batch), "writing");
  batch.state_->batch.Clear();
}

void KeyStore::sync() { check(state_->database->Flush(rocksdb::FlushOptions()), "writing"); }

}  // namespace headrace::key_index
