#include "lake/delete_writer.h"

#include <algorithm>

#include "base/error.h"
#include "engine/vector.h"

namespace headrace::lake {
namespace {

using engine::quote_identifier;
using engine::quote_literal;

// A table of the engine that holds positions on their way into a file.
class PositionTable {
 public:
  PositionTable(engine::Connection& connection, const std::string& name)
      : connection_(connection), name_("deletes#" + name) {
    connection_.execute(format("CREATE TABLE main.{} (pos BIGINT)", quote_identifier(name_)));
  }
  ~PositionTable() {
    try {
      connection_.execute(format("DROP TABLE main.{}", quote_identifier(name_)));
    } catch (const Error&) {
      // Only the engine's memory is at stake.
    }
  }
  PositionTable(const PositionTable&) = delete;
  PositionTable& operator=(const PositionTable&) = delete;

  void fill(const std::vector<int64_t>& positions) {
    engine::Appender appender(connection_, "main", name_);
    for (size_t begin = 0; begin < positions.size(); begin += engine::kVectorSize) {
      const size_t count = std::min(engine::kVectorSize, positions.size() - begin);
      std::copy_n(positions.begin() + static_cast<std::ptrdiff_t>(begin), count,
                  appender.chunk().column(0).data<int64_t>());
      appender.chunk().set_size(count);
      appender.flush_chunk();
    }
    appender.close();
  }

  std::string sql() const { return "main." + quote_identifier(name_); }

 private:
  engine::Connection& connection_;
  const std::string name_;
};

std::string copy_sql(const std::string& positions, const std::string& data_file,
                     const std::string& path) {
  return format(
      "COPY (SELECT {}::VARCHAR AS file_path, pos FROM {} ORDER BY pos) TO {} (FORMAT parquet, "
      "COMPRESSION zstd, FIELD_IDS {{file_path: {}, pos: {}}})",
      quote_literal(data_file), positions, quote_literal(path), kDeleteFilePathId,
      kDeletePositionId);
}

std::string position_bound(int64_t position) {
  std::string bytes(sizeof(position), '\0');
  for (size_t i = 0; i < sizeof(position); ++i) {
    bytes[i] = static_cast<char>(static_cast<uint64_t>(position) >> (8 * i));
  }
  return bytes;
}

}  // namespace

DataFile write_position_deletes(engine::Connection& connection, Catalog& catalog, FileSystem& files,
                                Random& random, const Table& table, const DataFile& data_file,
                                const RowPositions& positions) {
  const std::string directory = catalog.data_directory(table);
  const std::string name = make_uuid(random);
  const std::string path = format("{}/{}-deletes.parquet", directory, name);
  const std::vector<int64_t> sorted = positions.sorted();
  DataFile file;
  if (sorted.empty()) {
    fail(ErrorKind::kInternal, "writing deletes of {}: there are none", data_file.path);
  }
  try {
    PositionTable rows(connection, name);
    rows.fill(sorted);
    connection.execute(copy_sql(rows.sql(), data_file.path, path));
    file.file_size_bytes = static_cast<int64_t>(files.info(path).size_bytes);
    file.path = catalog.publish_files(table, {path}).front();
  } catch (const Error& error) {
    try {
      files.remove(path);
    } catch (const Error&) {
      // It stays as an orphan; the first error is the one to tell.
    }
    throw error.with_context(
        format("writing position deletes of {}", table.identifier.to_string()));
  }
  const auto count = static_cast<int64_t>(sorted.size());
  file.content = FileContent::kPositionDeletes;
  file.spec_id = data_file.spec_id;
  file.partition = data_file.partition;
  file.record_count = count;
  file.figures =
      FileFigures{.value_counts = {{kDeleteFilePathId, count}, {kDeletePositionId, count}},
                  .null_value_counts = {{kDeleteFilePathId, 0}, {kDeletePositionId, 0}},
                  .lower_bounds = {{kDeleteFilePathId, data_file.path},
                                   {kDeletePositionId, position_bound(sorted.front())}},
                  .upper_bounds = {{kDeleteFilePathId, data_file.path},
                                   {kDeletePositionId, position_bound(sorted.back())}}};
  file.referenced_data_file = data_file.path;
  return file;
}

std::string read_deletes_sql(const DataFile& delete_file) {
  const std::string path = engine_path(delete_file.path);
  if (!path.ends_with(".parquet")) {
    fail(ErrorKind::kUnsupported,
         "its deletes are not Parquet; rewrite them with the engine that wrote them");
  }
  return format(
      "SELECT file_path, pos FROM read_parquet({}, schema=MAP {{{}: {{name: 'file_path', type: "
      "'VARCHAR', default_value: NULL}}, {}: {{name: 'pos', type: 'BIGINT', default_value: "
      "NULL}}}}, hive_partitioning=false)",
      quote_literal(path), kDeleteFilePathId, kDeletePositionId);
}

std::optional<std::string> only_data_file_of(const DataFile& delete_file) {
  if (delete_file.referenced_data_file) return delete_file.referenced_data_file;
  const FileFigures& figures = *delete_file.figures;
  const auto lower = figures.lower_bounds.find(kDeleteFilePathId);
  const auto upper = figures.upper_bounds.find(kDeleteFilePathId);
  const bool is_one = lower != figures.lower_bounds.end() && upper != figures.upper_bounds.end() &&
                      lower->second == upper->second;
  return is_one ? std::optional<std::string>(lower->second) : std::nullopt;
}

}  // namespace headrace::lake
