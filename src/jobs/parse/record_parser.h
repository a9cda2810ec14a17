#pragma once

// Turns the value of a record into columns. One object per thread; see make_record_parser.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engine/vector.h"
#include "jobs/parse/column_writer.h"
#include "lake/types.h"

namespace headrace::jobs::parse {

struct ParseField {
  std::string name;
  std::string type;  // SQL
  std::string path;  // JSON pointer; empty: the member of that name
  bool required = false;
};

struct ParseSpec {
  std::string node;
  std::string topic;
  std::string format;  // json, csv, text
  std::vector<ParseField> fields;
  bool null_on_error = false;  // a value that does not fit becomes NULL instead of a dead letter
  char delimiter = ',';        // csv
  std::string pattern;         // text: an RE2 pattern with named groups; empty: the whole line
};

Json to_json(const ParseSpec& spec);
ParseSpec parse_spec_from_json(const Json& json);

class RecordParser {
 public:
  virtual ~RecordParser() = default;
  // The vector that takes field i.
  virtual void set_columns(const std::vector<engine::MutableVector*>& columns) = 0;
  // Writes row `row` and returns true, or says in `reason` why the record cannot be taken. At least
  // kPaddingBytes after the value may be read (their content does not matter).
  virtual bool parse(std::string_view value, size_t row, std::string& reason) = 0;
};

inline constexpr size_t kPaddingBytes = 64;

// `types`: of the fields, in their order.
std::unique_ptr<RecordParser> make_record_parser(const ParseSpec& spec,
                                                 std::vector<lake::Type> types);

// The formats, one file each.
std::unique_ptr<RecordParser> make_json_parser(const ParseSpec& spec,
                                               std::vector<lake::Type> types);
std::unique_ptr<RecordParser> make_csv_parser(const ParseSpec& spec, std::vector<lake::Type> types);
std::unique_ptr<RecordParser> make_text_parser(const ParseSpec& spec,
                                               std::vector<lake::Type> types);

// "field user_id: '-x' is no BIGINT", the value cut to a readable length.
std::string describe_misfit(const ParseField& field, const lake::Type& type,
                            std::string_view value);

}  // namespace headrace::jobs::parse
