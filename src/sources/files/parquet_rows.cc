#include "sources/files/parquet_rows.h"

#include "base/error.h"
#include "engine/database.h"
#include "sources/record_fields.h"

namespace headrace::sources {
namespace {

// An engine of its own, of one thread that keeps the order of rows: neither can be set for a single
// query. It lives as long as the file is being read.
engine::DatabaseOptions single_threaded() {
  engine::DatabaseOptions options;
  options.memory_limit = "256MB";
  options.threads = 1;
  options.preserve_insertion_order = true;
  return options;
}

class ParquetRows final : public RecordReader {
 public:
  ParquetRows(const std::string& full_path, uint64_t position)
      : database_(single_threaded()), connection_(database_.connect()), position_(position) {
    const std::string file = engine::quote_literal(full_path);
    row_count_ = static_cast<uint64_t>(connection_->query_integer(
        format("SELECT coalesce(sum(num_rows), 0)::BIGINT FROM parquet_file_metadata({})", file)));
    if (position_ >= row_count_) return;
    result_ = std::make_unique<engine::Result>(connection_->query(
        format("SELECT to_json(r)::VARCHAR FROM (SELECT * EXCLUDE (file_row_number) FROM "
               "read_parquet({}, file_row_number = true) WHERE file_row_number >= {}) r",
               file, position_)));
  }

  bool is_shorter_than_position() const { return position_ > row_count_; }

  bool read(std::vector<FileRecord>& into) override {
    into.clear();
    const engine::Chunk* chunk = result_ ? result_->next() : nullptr;
    if (chunk == nullptr) return false;
    const engine::VectorView rows = chunk->column(0);
    text_.clear();
    for (size_t i = 0; i < chunk->rows(); ++i) text_ += rows.string(i);
    text_.append(kRecordPadding, ' ');
    size_t start = 0;
    for (size_t i = 0; i < chunk->rows(); ++i) {
      const size_t size = rows.string(i).size();
      into.push_back({std::string_view(text_).substr(start, size), ++position_});
      start += size;
    }
    return true;
  }

 private:
  engine::Database database_;
  std::unique_ptr<engine::Connection> connection_;
  std::unique_ptr<engine::Result> result_;
  uint64_t position_;
  uint64_t row_count_ = 0;
  std::string text_;
};

}  // namespace

std::unique_ptr<RecordReader> open_parquet_rows(const std::string& full_path, uint64_t position) {
  try {
    auto rows = std::make_unique<ParquetRows>(full_path, position);
    if (rows->is_shorter_than_position()) return nullptr;
    return rows;
  } catch (const Error& error) {
    throw error.with_context("reading " + full_path);
  }
}

}  // namespace headrace::sources
