#include "base/format.h"
#include "jobs/parse/record_parser.h"

namespace headrace::jobs::parse {
namespace {

// One line of CSV (RFC 4180): fields in the order of the node's. An empty unquoted field is NULL.
class CsvParser final : public RecordParser {
 public:
  CsvParser(const ParseSpec& spec, std::vector<lake::Type> types)
      : spec_(spec), types_(std::move(types)) {}

  void set_columns(const std::vector<engine::MutableVector*>& columns) override {
    columns_ = columns;
  }

  bool parse(std::string_view value, size_t row, std::string& reason) override {
    while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.remove_suffix(1);
    bool more = true;
    size_t index = 0;
    for (; more; ++index) {
      bool quoted = false;
      if (!take_field(value, quoted, more)) {
        reason = format("broken CSV: the quote of field {} is not closed", index + 1);
        return discard();
      }
      if (index >= types_.size()) continue;  // counted for the message below
      if (field_.empty() && !quoted) {
        if (!take_null(index, row, reason)) return discard();
      } else if (!write_text_value(types_[index], field_, *columns_[index], row)) {
        if (!spec_.null_on_error) {
          reason = describe_misfit(spec_.fields[index], types_[index], field_);
          return discard();
        }
        if (!take_null(index, row, reason)) return discard();
      }
    }
    if (index != types_.size()) {
      reason = format("expected {} fields, found {}", types_.size(), index);
      return discard();
    }
    nulls_.apply();
    return true;
  }

 private:
  bool discard() {
    nulls_.discard();
    return false;
  }

  bool take_null(size_t index, size_t row, std::string& reason) {
    if (spec_.fields[index].required) {
      reason = format("field {} is empty, but required", spec_.fields[index].name);
      return false;
    }
    nulls_.add(*columns_[index], row);
    return true;
  }

  // The next field into field_; `more` tells whether another follows.
  bool take_field(std::string_view& rest, bool& quoted, bool& more) {
    field_.clear();
    quoted = rest.starts_with('"');
    if (quoted) {
      rest.remove_prefix(1);
      for (;;) {
        const size_t quote = rest.find('"');
        if (quote == std::string_view::npos) return false;
        field_.append(rest.substr(0, quote));
        rest.remove_prefix(quote + 1);
        if (!rest.starts_with('"')) break;
        field_ += '"';
        rest.remove_prefix(1);
      }
    }
    const size_t end = rest.find(spec_.delimiter);
    field_.append(rest.substr(0, end));
    more = end != std::string_view::npos;
    rest.remove_prefix(more ? end + 1 : rest.size());
    return true;
  }

  const ParseSpec spec_;
  const std::vector<lake::Type> types_;
  std::vector<engine::MutableVector*> columns_;
  PendingNulls nulls_;
  std::string field_;
};

}  // namespace

std::unique_ptr<RecordParser> make_csv_parser(const ParseSpec& spec,
                                              std::vector<lake::Type> types) {
  return std::make_unique<CsvParser>(spec, std::move(types));
}

}  // namespace headrace::jobs::parse
