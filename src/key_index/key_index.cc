#include "key_index/key_index.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/error.h"
#include "lake/data_writer.h"
#include "telemetry/log.h"

namespace headrace::key_index {
namespace {

constexpr const char* kIdentityNote = "identity";
constexpr const char* kSnapshotNote = "snapshot";
constexpr const char* kTowardsNote = "towards";
constexpr const char* kFilePrefix = "file/";  // … path → number
constexpr const char* kNextFileNote = "next";
constexpr size_t kBatchBytes = 1024UL * 1024;
// Files are read in groups of about so many rows: after each it is known to be done.
constexpr int64_t kGroupRows = 4'000'000;
constexpr int64_t kBulkRows = 200'000;
// A commit waits for one such batch at most.
constexpr size_t kFollowedAtOnce = 8192;
// A file beside the store that says that it must not be used.
constexpr const char* kDamaged = ".damaged";

template <class Number>
std::optional<Number> number_of(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  Number number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc{} || end != text->data() + text->size()) {
    fail(ErrorKind::kCorrupt, "reading the key index: '{}' is no number", *text);
  }
  return number;
}

bool came_from(const lake::TableMetadata& metadata, lake::SnapshotId earlier) {
  std::optional<lake::SnapshotId> id = metadata.current_snapshot_id;
  while (id && *id != earlier) {
    const lake::Snapshot* snapshot = metadata.snapshot(*id);
    id = snapshot == nullptr ? std::nullopt : snapshot->parent_snapshot_id;
  }
  return id.has_value();
}

int64_t rows_of(const std::vector<lake::DataFile>& files) {
  int64_t rows = 0;
  for (const lake::DataFile& file : files) rows += file.record_count;
  return rows;
}

std::vector<std::vector<lake::DataFile>> groups_of(const std::vector<lake::DataFile>& files) {
  std::vector<std::vector<lake::DataFile>> groups;
  int64_t rows = kGroupRows;
  for (const lake::DataFile& file : files) {
    if (rows >= kGroupRows) {
      groups.emplace_back();
      rows = 0;
    }
    groups.back().push_back(file);
    rows += file.record_count;
  }
  return groups;
}

}  // namespace

KeyIndex::KeyIndex(std::string directory, KeyColumns columns, std::string identity)
    : directory_(std::move(directory)),
      columns_(std::move(columns)),
      identity_(std::move(identity)) {}

std::unique_ptr<KeyIndex> KeyIndex::open(const std::string& directory, const lake::Table& table,
                                         KeyColumns columns) {
  const std::string identity = format("1 {} {}", table.metadata.table_uuid, columns.fingerprint());
  std::unique_ptr<KeyIndex> index(new KeyIndex(directory, std::move(columns), identity));
  const bool is_there = std::filesystem::exists(directory);
  std::string reason;
  try {
    if (std::filesystem::exists(directory + kDamaged)) {
      reason = "it was found damaged";
    } else {
      index->begin(false);
      const auto found = index->store_->note(kIdentityNote);
      if (found != identity && is_there) reason = "it is of another table or of other columns";
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) throw;
    reason = error.message();
  }
  if (!reason.empty()) {
    telemetry::log_warning("key_index", "making the key index anew",
                           {{"table", table.identifier.to_string()}, {"because", reason}});
    index->begin(true);
  }
  return index;
}

void KeyIndex::begin(bool anew) {
  store_.reset();
  if (anew) {
    std::filesystem::remove_all(directory_);
    std::filesystem::remove(directory_ + kDamaged);
  }
  std::filesystem::create_directories(directory_);
  store_ = KeyStore::open(directory_);
  if (!store_->note(kIdentityNote)) {
    KeyStore::Batch batch;
    batch.put_note(kIdentityNote, identity_);
    store_->write(batch);
  }
  read_notes();
}

void KeyIndex::read_notes() {
  snapshot_ = number_of<lake::SnapshotId>(store_->note(kSnapshotNote));
  towards_ = number_of<lake::SnapshotId>(store_->note(kTowardsNote));
  next_file_ = number_of<uint32_t>(store_->note(kNextFileNote)).value_or(0);
  const std::lock_guard lock(mutex_);
  files_.clear();
  for (const KeyStore::Note& note : store_->notes(kFilePrefix)) {
    files_[note.name.substr(std::string_view(kFilePrefix).size())] =
        *number_of<uint32_t>(note.value);
  }
}

// What is damaged is not used again: it is made anew at the next open, which the caller's next
// attempt does.
template <class Body>
auto KeyIndex::guarded(Body body) {
  try {
    return body();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) throw;
    std::ofstream(directory_ + kDamaged) << error.message() << "\n";
    throw Error(ErrorKind::kUnavailable, error.message());
  }
}

bool KeyIndex::goes_on_to(const lake::TableMetadata& metadata) const {
  return (!snapshot_ || came_from(metadata, *snapshot_)) &&
         (!towards_ || came_from(metadata, *towards_));
}

void KeyIndex::move_towards(const lake::Table& table) {
  towards_ = table.metadata.current_snapshot_id;
  KeyStore::Batch batch;
  batch.put_note(kTowardsNote, format("{}", *towards_));
  store_->write(batch);
}

void KeyIndex::catch_up(engine::Connection& connection, const lake::Table& table,
                        const std::vector<lake::DataFile>& files) {
  if (!table.metadata.current_snapshot_id) {
    if (snapshot_ || towards_) begin(true);
    return;
  }
  const bool knows_all = std::all_of(files.begin(), files.end(), [&](const lake::DataFile& file) {
    return file_number(file.path).has_value();
  });
  if (snapshot_ == table.metadata.current_snapshot_id && knows_all) return;
  if (!goes_on_to(table.metadata)) {
    telemetry::log_warning("key_index", "reading all keys of the table",
                           {{"table", table.identifier.to_string()},
                            {"because", "its current snapshot does not follow from the index's"}});
    begin(true);
  }
  guarded([&] {
    std::vector<lake::DataFile> unknown;
    for (const lake::DataFile& file : files) {
      if (!file_number(file.path)) unknown.push_back(file);
    }
    move_towards(table);
    const int64_t total = rows_of(unknown);
    const bool is_bulk = total >= kBulkRows;
    int64_t done = 0;
    for (const auto& group : groups_of(unknown)) {
      add_rows(connection, table, group, is_bulk);
      done += rows_of(group);
      if (is_bulk) {
        telemetry::log_info(
            "key_index", "reading keys",
            {{"table", table.identifier.to_string()}, {"rows", done}, {"of", total}});
      }
    }
    if (is_bulk) store_->sync();
    arrive(table, &files);
  });
}

void KeyIndex::add_rows(engine::Connection& connection, const lake::Table& table,
                        const std::vector<lake::DataFile>& files, bool is_bulk) {
  if (files.empty()) return;
  KeyStore::Batch batch;
  std::map<std::string, uint32_t> numbers;
  std::vector<uint32_t> number_at;
  for (const lake::DataFile& file : files) {
    number_at.push_back(next_file_);
    numbers[file.path] = next_file_++;
  }
  batch.put_note(kNextFileNote, format("{}", next_file_));
  // Sorted: writes that lie beside each other are cheaper.
  engine::Result result = connection.query(
      format("SELECT {}, {}, _file, _position FROM ({}) r ORDER BY 1", columns_.key_sql("r"),
             columns_.sequence_sql("r"), lake::scan_rows_sql(table, files)));
  KeyEntry entry;
  while (const engine::Chunk* chunk = result.next()) {
    const engine::VectorView keys = chunk->column(0);
    const engine::VectorView sequences = chunk->column(1);
    const auto* file = chunk->column(2).data<int64_t>();
    const auto* position = chunk->column(3).data<int64_t>();
    for (size_t row = 0; row < chunk->rows(); ++row) {
      entry.file = number_at.at(static_cast<size_t>(file[row]));
      entry.position = static_cast<uint32_t>(position[row]);
      entry.sequence = sequences.string(row);
      batch.put(keys.string(row), entry);
    }
    if (batch.size_bytes() >= kBatchBytes) store_->write(batch, is_bulk);
  }
  // Only now: a file is known when all its keys are there.
  for (const auto& [path, number] : numbers) {
    batch.put_note(kFilePrefix + path, format("{}", number));
  }
  store_->write(batch, is_bulk);
  const std::lock_guard lock(mutex_);
  files_.insert(numbers.begin(), numbers.end());
}

void KeyIndex::take_up(engine::Connection& connection, const lake::Table& table,
                       const std::vector<lake::DataFile>& added, const std::string& gone) {
  const std::lock_guard writing(writing_);
  guarded([&] {
    move_towards(table);
    forget_keys(connection, gone);
    add_rows(connection, table, added, false);
    arrive(table, nullptr);
  });
}

void KeyIndex::forget_keys(engine::Connection& connection, const std::string& gone) {
  KeyStore::Batch batch;
  KeyEntry tombstone;
  engine::Result result = connection.query(gone);
  while (const engine::Chunk* chunk = result.next()) {
    const engine::VectorView keys = chunk->column(0);
    const engine::VectorView sequences = chunk->column(1);
    for (size_t row = 0; row < chunk->rows(); ++row) {
      if (columns_.sequence()) {
        tombstone.sequence = sequences.string(row);
        batch.put(keys.string(row), tombstone);
      } else {
        batch.erase(keys.string(row));
      }
    }
    if (batch.size_bytes() >= kBatchBytes) store_->write(batch);
  }
  store_->write(batch);
}

// `all_files`: the table's; others are forgotten.
void KeyIndex::arrive(const lake::Table& table, const std::vector<lake::DataFile>* all_files) {
  KeyStore::Batch batch;
  std::vector<std::string> gone;
  if (all_files != nullptr) {
    std::set<std::string> live;
    for (const lake::DataFile& file : *all_files) live.insert(file.path);
    const std::lock_guard lock(mutex_);
    for (const auto& [path, number] : files_) {
      if (!live.contains(path)) gone.push_back(path);
    }
  }
  for (const std::string& path : gone) batch.erase_note(kFilePrefix + path);
  snapshot_ = table.metadata.current_snapshot_id;
  towards_.reset();
  batch.put_note(kSnapshotNote, format("{}", *snapshot_));
  batch.erase_note(kTowardsNote);
  store_->write(batch);
  const std::lock_guard lock(mutex_);
  for (const std::string& path : gone) files_.erase(path);
}

uint32_t KeyIndex::reserve(const std::string& path) {
  const std::lock_guard writing(writing_);
  return guarded([&] {
    const uint32_t number = next_file_++;
    KeyStore::Batch batch;
    batch.put_note(kNextFileNote, format("{}", next_file_));
    store_->write(batch);
    const std::lock_guard lock(mutex_);
    files_[path] = number;
    return number;
  });
}

void KeyIndex::follow(engine::Connection& connection, const lake::Table& table,
                      const lake::DataFile& file, const std::vector<std::string>& sources,
                      const RowPlace& moved) {
  const uint32_t number = file_number(file.path).value();
  engine::Result result =
      connection.query(format("SELECT {}, _position FROM ({}) r", columns_.key_sql("r"),
                              lake::scan_rows_sql(table, {file})));
  std::vector<std::string> keys;
  std::vector<int64_t> positions;
  while (const engine::Chunk* chunk = result.next()) {
    const engine::VectorView bytes = chunk->column(0);
    const auto* position = chunk->column(1).data<int64_t>();
    for (size_t row = 0; row < chunk->rows(); ++row) {
      keys.emplace_back(bytes.string(row));
      positions.push_back(position[row]);
    }
    if (keys.size() < kFollowedAtOnce) continue;
    move_entries(keys, positions, number, moved);
    keys.clear();
    positions.clear();
  }
  move_entries(keys, positions, number, moved);
  const std::lock_guard writing(writing_);
  guarded([&] {
    KeyStore::Batch batch;
    batch.put_note(kFilePrefix + file.path, format("{}", number));
    for (const std::string& path : sources) batch.erase_note(kFilePrefix + path);
    store_->write(batch);
  });
  const std::lock_guard lock(mutex_);
  for (const std::string& path : sources) files_.erase(path);
}

void KeyIndex::move_entries(const std::vector<std::string>& keys,
                            const std::vector<int64_t>& positions, uint32_t number,
                            const RowPlace& moved) {
  const std::vector<std::string_view> wanted(keys.begin(), keys.end());
  const std::lock_guard writing(writing_);
  guarded([&] {
    std::vector<std::optional<KeyEntry>> found = store_->find(wanted);
    KeyStore::Batch batch;
    for (size_t i = 0; i < keys.size(); ++i) {
      if (!found[i] || moved(*found[i]) != positions[i]) continue;
      found[i]->file = number;
      found[i]->position = static_cast<uint32_t>(positions[i]);
      batch.put(keys[i], *found[i]);
    }
    store_->write(batch);
  });
}

void KeyIndex::forget_files(const std::vector<std::string>& paths) {
  const std::lock_guard writing(writing_);
  guarded([&] {
    KeyStore::Batch batch;
    for (const std::string& path : paths) batch.erase_note(kFilePrefix + path);
    store_->write(batch);
  });
  const std::lock_guard lock(mutex_);
  for (const std::string& path : paths) files_.erase(path);
}

std::vector<std::optional<KeyEntry>> KeyIndex::find(const std::vector<std::string_view>& keys) {
  return guarded([&] { return store_->find(keys); });
}

std::optional<uint32_t> KeyIndex::file_number(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = files_.find(path);
  if (found == files_.end()) return std::nullopt;
  return found->second;
}

}  // namespace headrace::key_index
