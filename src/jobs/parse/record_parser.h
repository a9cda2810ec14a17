#pragma once

// Turns the value of a record into columns. One object per thread; see make_record_parser.

#include <memory>
#include <optional>
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
  bool is_inferred = false;                // found in the data, not declared
  std::optional<std::string> member = {};  // of the record, whose name cannot be the column's

  const std::string& key() const { return member ? *member : name; }
};

// What becomes of an inferred field when values come that are not of its type.
enum class OnConflict { kCast, kSplit, kText, kReject };

// Whether such a value goes into a column beside its field's.
inline bool goes_beside(OnConflict policy) {
  return policy == OnConflict::kSplit || policy == OnConflict::kText;
}

struct ParseSpec {
  std::string node;
  std::string topic;
  std::string format;  // json, csv, text
  std::vector<ParseField> fields;
  bool null_on_error = false;  // a value that does not fit becomes NULL instead of a dead letter
  char delimiter = ',';        // csv
  std::string pattern;         // text: an RE2 pattern with named groups; empty: the whole line
  // json: fields that are not in `fields` are news, but for those that are ignored.
  bool is_inferring = false;
  OnConflict on_conflict = OnConflict::kSplit;
  std::vector<std::string> ignore = {};
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
  // Whether a record that was not taken brings what the columns have no room for yet.
  virtual bool found_news() const { return false; }
};

inline constexpr size_t kPaddingBytes = 64;

// `types`: of the fields, in their order. `is_final`: the columns have grown with these records as
// far as they can, so nothing is news any more: what has no place makes its record one that cannot
// be taken.
std::unique_ptr<RecordParser> make_record_parser(const ParseSpec& spec,
                                                 std::vector<lake::Type> types, bool is_final);

// The formats, one file each.
std::unique_ptr<RecordParser> make_json_parser(const ParseSpec& spec, std::vector<lake::Type> types,
                                               bool is_final);
std::unique_ptr<RecordParser> make_csv_parser(const ParseSpec& spec, std::vector<lake::Type> types);
std::unique_ptr<RecordParser> make_text_parser(const ParseSpec& spec,
                                               std::vector<lake::Type> types);

// "field user_id: '-x' is no BIGINT", the value cut to a readable length.
std::string describe_misfit(const ParseField& field, const lake::Type& type,
                            std::string_view value);

}  // namespace headrace::jobs::parse
