#pragma once

// Rows of CSV as JSON objects: {"name": "text", …}. All values are strings (types are the job's
// business). A row whose number of fields is not that of the columns, or whose quotes do not close,
// stays as it is in the file, so that the job's parsing makes it a dead letter with its text.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sources/files/options.h"
#include "sources/files/record_reader.h"

namespace headrace::sources {

// The fields of one row without its line end. False when a quoted field does not end properly.
class CsvFields {
 public:
  struct Field {
    std::string_view text;
    bool quoted = false;
  };
  CsvFields(char delimiter, char quote) : delimiter_(delimiter), quote_(quote) {}
  // The views hold until the next call.
  bool parse(std::string_view row);
  const std::vector<Field>& fields() const { return fields_; }

 private:
  const char delimiter_;
  const char quote_;
  std::vector<Field> fields_;
  std::string unquoted_;
};

class CsvRows final : public RecordReader {
 public:
  // `rows` starts behind the header. Without names the columns are c1, c2, … of the first row.
  CsvRows(std::unique_ptr<RecordReader> rows, const CsvOptions& options,
          std::vector<std::string> columns);
  bool read(std::vector<FileRecord>& into) override;

 private:
  void name_columns(const std::vector<std::string>& columns);
  // Appends the row as JSON. False when it is to stay as it is.
  bool append_json(std::string_view row);

  std::unique_ptr<RecordReader> rows_;
  const CsvOptions options_;
  CsvFields parser_;
  std::vector<std::string> prefixes_;  // {"first": and then ,"next":
  std::string json_;                   // of all rows of one read
  std::vector<size_t> ends_;           // of each row in json_
};

}  // namespace headrace::sources
