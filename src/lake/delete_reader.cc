#include "lake/delete_reader.h"

#include "base/error.h"
#include "lake/delete_writer.h"

namespace headrace::lake {
namespace {

constexpr size_t kCachedPositions = 32'000'000;

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
  if (auto known = read_.find(delete_file.path)) return known;
  std::map<std::string, RowPositions> positions;
  size_t count = 0;
  try {
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
      count += chunk->rows();
    }
  } catch (const Error& error) {
    throw error.with_context(format("reading the position deletes {}", delete_file.path));
  }
  auto content = std::make_shared<ByDataFile>();
  for (auto& [path, some] : positions) {
    content->emplace(path, std::make_shared<const RowPositions>(std::move(some)));
  }
  read_.put(delete_file.path, content, count + 1);
  return content;
}

}  // namespace headrace::lake
