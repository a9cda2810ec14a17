#pragma once

// Result formats: each turns the rows of a query into pieces of bytes.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/database.h"
#include "query/query_service.h"

namespace headrace::query {

// What a format needs to know beside the rows.
struct ResultContext {
  std::string query_id;
  std::vector<engine::Column> columns;  // of the query as written
  int64_t max_rows = 0;
  SteadyTime started;
  Clock* clock = nullptr;
  const engine::Connection* connection = nullptr;  // that the query runs on
};

class ResultWriter {
 public:
  virtual ~ResultWriter() = default;
  virtual bool next(std::string& piece) = 0;
  // After next() threw midway: ends the result so that it says why. False where the format has no
  // place for that.
  virtual bool end_with(const Error&, std::string& /*piece*/) { return false; }
};

// SQL that gives the columns of `sql` in the form that the writer of `format` takes (JSON texts,
// plain texts, or as they are). `sql` is one SELECT.
std::string wrap_for(Format format, const std::string& sql, size_t column_count);

// invalid: for formats that cannot say that rows are missing.
[[noreturn]] void fail_too_many_rows(int64_t max_rows);

std::unique_ptr<ResultWriter> make_json_writer(engine::Result result, ResultContext context);
// For results whose columns are all text already.
std::unique_ptr<ResultWriter> make_plain_json_writer(engine::Result result, ResultContext context);
std::unique_ptr<ResultWriter> make_csv_writer(engine::Result result, ResultContext context);
std::unique_ptr<ResultWriter> make_arrow_writer(engine::Result result, ResultContext context);
// Streams a file that is there at the first call of next(), and removes it at the end.
std::unique_ptr<ResultWriter> make_file_writer(std::string path);

}  // namespace headrace::query
