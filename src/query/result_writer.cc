#include "query/result_writer.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

#include "arrow/ipc_stream.h"
#include "base/json.h"

namespace headrace::query {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;

class JsonWriter final : public ResultWriter {
 public:
  JsonWriter(engine::Result result, ResultContext context, bool is_plain)
      : result_(std::move(result)), context_(std::move(context)), is_plain_(is_plain) {}

  bool next(std::string& piece) override {
    if (ended_) return false;
    if (rows_ == 0 && !begun_) append_head(piece);
    while (piece.size() < kPieceBytes) {
      const engine::Chunk* chunk = truncated_ ? nullptr : result_.next();
      if (chunk == nullptr) {
        append_tail(piece);
        ended_ = true;
        return true;
      }
      append_rows(*chunk, piece);
    }
    return true;
  }

  bool end_with(const Error& error, std::string& piece) override {
    const ErrorCodes& codes = codes_of(error.kind());
    append_tail(piece, JsonObject{{"type", codes.name},
                                  {"message", error.message()},
                                  {"code", codes.http_status}});
    ended_ = true;
    return true;
  }

 private:
  void append_head(std::string& piece) {
    begun_ = true;
    JsonArray columns;
    for (const engine::Column& column : context_.columns) {
      columns.push_back(JsonObject{{"name", column.name}, {"type", column.type}});
    }
    piece += format("{{\"query_id\":{},\"columns\":{},\"rows\":[", to_text(Json(context_.query_id)),
                    to_text(columns));
  }

  void append_rows(const engine::Chunk& chunk, std::string& piece) {
    std::vector<engine::VectorView> columns;
    for (size_t i = 0; i < context_.columns.size(); ++i) columns.push_back(chunk.column(i));
    for (size_t row = 0; row < chunk.rows(); ++row) {
      if (rows_ == context_.max_rows) {
        truncated_ = true;
        return;
      }
      piece += rows_++ == 0 ? "[" : ",[";
      for (size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) piece += ',';
        append_value(columns[i], row, piece);
      }
      piece += ']';
    }
  }

  void append_value(const engine::VectorView& column, size_t row, std::string& piece) const {
    if (column.is_null(row)) {
      piece += "null";
    } else if (is_plain_) {
      piece += to_text(Json(column.string(row)));
    } else {
      piece += column.string(row);
    }
  }

  void append_tail(std::string& piece, const std::optional<Json>& error = {}) const {
    const std::chrono::duration<double, std::milli> elapsed =
        context_.clock->steady_now() - context_.started;
    const auto files = context_.connection->files_scanned();
    piece += format(
        "],\"row_count\":{},\"truncated\":{},\"elapsed_ms\":{:.3f},\"files_total\":{},"
        "\"files_read\":{}",
        rows_, truncated_ || error, elapsed.count(), files.total, files.read);
    if (error) piece += format(",\"error\":{}", to_text(*error));
    piece += "}\n";
  }

  engine::Result result_;
  ResultContext context_;
  const bool is_plain_;
  int64_t rows_ = 0;
  bool begun_ = false;
  bool truncated_ = false;
  bool ended_ = false;
};

// RFC 4180 with a header line; NULL is empty, the empty string is quoted.
class CsvWriter final : public ResultWriter {
 public:
  CsvWriter(engine::Result result, ResultContext context)
      : result_(std::move(result)), context_(std::move(context)) {}

  bool next(std::string& piece) override {
    if (ended_) return false;
    if (!begun_) append_head(piece);
    while (piece.size() < kPieceBytes) {
      const engine::Chunk* chunk = result_.next();
      if (chunk == nullptr) {
        ended_ = true;
        return true;
      }
      append_rows(*chunk, piece);
    }
    return true;
  }

 private:
  static void append_field(std::string_view text, std::string& piece) {
    if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) {
      piece += text;
      return;
    }
    piece += '"';
    for (const char c : text) {
      if (c == '"') piece += '"';
      piece += c;
    }
    piece += '"';
  }

  void append_head(std::string& piece) {
    begun_ = true;
    for (size_t i = 0; i < context_.columns.size(); ++i) {
      if (i > 0) piece += ',';
      append_field(context_.columns[i].name, piece);
    }
    piece += "\r\n";
  }

  void append_rows(const engine::Chunk& chunk, std::string& piece) {
    std::vector<engine::VectorView> columns;
    for (size_t i = 0; i < context_.columns.size(); ++i) columns.push_back(chunk.column(i));
    for (size_t row = 0; row < chunk.rows(); ++row) {
      if (++rows_ > context_.max_rows) {
        // CSV has no place to say that rows are missing, nor have the formats below.
        fail_too_many_rows(context_.max_rows);
      }
      for (size_t i = 0; i < columns.size(); ++i) {
        if (i > 0) piece += ',';
        if (!columns[i].is_null(row)) append_field(columns[i].string(row), piece);
      }
      piece += "\r\n";
    }
  }

  engine::Result result_;
  ResultContext context_;
  int64_t rows_ = 0;
  bool begun_ = false;
  bool ended_ = false;
};

class ArrowWriter final : public ResultWriter {
 public:
  ArrowWriter(engine::Result result, ResultContext context)
      : result_(std::move(result)), context_(std::move(context)) {
    arrow::OwnedSchema schema;
    result_.export_arrow_schema(schema.fill());
    stream_ = std::make_unique<arrow::IpcStream>(*schema);
  }

  bool next(std::string& piece) override {
    if (ended_) return false;
    if (!begun_) piece += stream_->schema_message();
    begun_ = true;
    while (piece.size() < kPieceBytes) {
      arrow::OwnedArray array;
      if (!result_.next_arrow(array.fill())) {
        piece += arrow::IpcStream::end_of_stream();
        ended_ = true;
        return true;
      }
      rows_ += array->length;
      if (rows_ > context_.max_rows) {
        fail_too_many_rows(context_.max_rows);
      }
      piece += stream_->batch_message(*array);
    }
    return true;
  }

 private:
  engine::Result result_;
  ResultContext context_;
  std::unique_ptr<arrow::IpcStream> stream_;
  int64_t rows_ = 0;
  bool begun_ = false;
  bool ended_ = false;
};

class FileWriter final : public ResultWriter {
 public:
  explicit FileWriter(std::string path) : path_(std::move(path)) {}
  ~FileWriter() override {
    std::error_code
        ignored;  // a left-over file in the temporary folder is removed at the next start
    std::filesystem::remove(path_, ignored);
  }

  bool next(std::string& piece) override {
    if (!file_.is_open()) file_.open(path_, std::ios::binary);
    if (!file_.is_open()) fail(ErrorKind::kInternal, "reading the result: {} is gone", path_);
    std::string bytes(kPieceBytes, '\0');
    file_.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<size_t>(file_.gcount()));
    piece += bytes;
    return !bytes.empty();
  }

 private:
  std::string path_;
  std::ifstream file_;
};

}  // namespace

void fail_too_many_rows(int64_t max_rows) {
  fail(
      ErrorKind::kInvalid,
      "the result has more than {} rows: add a LIMIT, or allow more with max_rows of the query and "
      "query_max_rows of the server's settings",
      max_rows);
}

std::string wrap_for(Format format, const std::string& sql, size_t column_count) {
  if (format == Format::kArrow || format == Format::kParquet) return sql;
  // Names of our own: those of the query may stand twice.
  std::vector<std::string> names;
  std::vector<std::string> texts;
  for (size_t i = 0; i < column_count; ++i) {
    names.push_back(headrace::format("c{}", i));
    texts.push_back(format == Format::kJson ? headrace::format("to_json(c{})::VARCHAR", i)
                                            : headrace::format("c{}::VARCHAR", i));
  }
  return headrace::format("SELECT {} FROM (\n{}\n) AS result({})", join(texts, ", "), sql,
                          join(names, ", "));
}

std::unique_ptr<ResultWriter> make_json_writer(engine::Result result, ResultContext context) {
  return std::make_unique<JsonWriter>(std::move(result), std::move(context), false);
}

std::unique_ptr<ResultWriter> make_plain_json_writer(engine::Result result, ResultContext context) {
  return std::make_unique<JsonWriter>(std::move(result), std::move(context), true);
}

std::unique_ptr<ResultWriter> make_csv_writer(engine::Result result, ResultContext context) {
  return std::make_unique<CsvWriter>(std::move(result), std::move(context));
}

std::unique_ptr<ResultWriter> make_arrow_writer(engine::Result result, ResultContext context) {
  return std::make_unique<ArrowWriter>(std::move(result), std::move(context));
}

std::unique_ptr<ResultWriter> make_file_writer(std::string path) {
  return std::make_unique<FileWriter>(std::move(path));
}

}  // namespace headrace::query
