#include "lake/delete_reader.h"

#include "base/error.h"
#include "lake/delete_writer.h"
#include "lake/deletion_vector.h"

namespace headrace::lake {
namespace {

constexpr size_t kCachedPositions = 32'000'000;
constexpr int64_t kMaxVectorBytes = 1'000'000'000;  // a bit for each of 2^32 rows, and more

}  // namespace

DeleteReader::DeleteReader(engine::Database& database)
    : database_(database), read_(kCachedPositions) {}

DeleteLoader DeleteReader::loader() {
  return [this](const DataFile& file, const std::string& path) { return read(file, path); };
}

RowPositionsPtr DeleteReader::read(const DataFile& delete_file, const std::string& path) {
  const auto all = content(delete_file);
  const auto found = all->find(path);
  return found == all->end() ? nullptr : found->second;
}

std::shared_ptr<const DeleteReader::ByDataFile> DeleteReader::content(const DataFile& delete_file) {
  const std::string key = delete_file.identity();
  if (auto known = read_.find(key)) return known;
  auto content = std::make_shared<ByDataFile>();
  size_t count = 0;
  try {
    for (auto& [path, some] : read_file(delete_file)) {
      count += static_cast<size_t>(some.count());
      content->emplace(path, std::make_shared<const RowPositions>(std::move(some)));
    }
  } catch (const Error& error) {
    throw error.with_context(format("reading the position deletes {}", key));
  }
  read_.put(key, content, count + 1);
  return content;
}

std::map<std::string, RowPositions> DeleteReader::read_file(const DataFile& delete_file) {
  std::map<std::string, RowPositions> positions;
  if (delete_file.is_deletion_vector()) {
    positions.emplace(*delete_file.referenced_data_file, read_vector(delete_file));
    return positions;
  }
  const auto connection = database_.connect();
  engine::Result result = connection->query(read_deletes_sql(delete_file));
  while (const engine::Chunk* chunk = result.next()) {
    const engine::VectorView paths = chunk->column(0);
    const engine::VectorView rows = chunk->column(1);
    RowPositions* into = nullptr;
    std::string_view last;
    for (size_t row = 0; row < chunk->rows(); ++row) {
      if (paths.is_null(row) || rows.is_null(row)) {
        fail(ErrorKind::kCorrupt, "a row has no path or no position");
      }
      const std::string_view path = paths.string(row);
      if (into == nullptr || path != last) into = &positions[std::string(path)];
      last = path;
      into->add(rows.data<int64_t>()[row]);
    }
  }
  return positions;
}

RowPositions DeleteReader::read_vector(const DataFile& vector) {
  const int64_t size = vector.content_size_bytes.value();
  if (size > kMaxVectorBytes) {
    fail(ErrorKind::kUnsupported, "the deletion vector has {} bytes, and headrace reads {} at most",
         size, kMaxVectorBytes);
  }
  RowPositions positions = read_deletion_vector(database_.connect()->read_file(
      engine_path(vector.path), static_cast<uint64_t>(*vector.content_offset),
      static_cast<uint64_t>(size)));
  if (positions.count() != vector.record_count) {
    fail(ErrorKind::kCorrupt, "the deletion vector deletes {} rows, but its manifest says {}",
         positions.count(), vector.record_count);
  }
  return positions;
}

}  // namespace headrace::lake
