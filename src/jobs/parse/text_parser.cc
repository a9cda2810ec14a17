#include <re2/re2.h>
#include <simdjson.h>

#include "base/error.h"
#include "jobs/parse/record_parser.h"

namespace headrace::jobs::parse {
namespace {

// A line of text: whole into one column, or taken apart by a pattern with named groups.
class TextParser final : public RecordParser {
 public:
  TextParser(const ParseSpec& spec, std::vector<lake::Type> types)
      : spec_(spec), types_(std::move(types)) {
    if (spec.pattern.empty()) return;
    pattern_ = std::make_unique<re2::RE2>(spec.pattern, re2::RE2::Quiet);
    if (!pattern_->ok()) {
      fail(ErrorKind::kInvalid, "nodes.{}.pattern: {}", spec.node, pattern_->error());
    }
    const auto& groups = pattern_->NamedCapturingGroups();
    for (const ParseField& field : spec.fields) {
      const auto found = groups.find(field.name);
      if (found == groups.end()) {
        fail(ErrorKind::kInvalid,
             "nodes.{}.pattern has no group (?P<{}>…) for the field of that name", spec.node,
             field.name);
      }
      group_of_field_.push_back(found->second);
    }
    groups_.resize(static_cast<size_t>(pattern_->NumberOfCapturingGroups()) + 1);
  }

  void set_columns(const std::vector<engine::MutableVector*>& columns) override {
    columns_ = columns;
  }

  bool parse(std::string_view value, size_t row, std::string& reason) override {
    if (!simdjson::validate_utf8(value.data(), value.size())) {
      reason = "the record is not valid UTF-8";
      return false;
    }
    if (!pattern_) {
      columns_[0]->set_string(row, value);
      return true;
    }
    const re2::StringPiece text(value.data(), value.size());
    if (!pattern_->Match(text, 0, value.size(), re2::RE2::ANCHOR_BOTH, groups_.data(),
                         static_cast<int>(groups_.size()))) {
      reason = "the line does not match the pattern";
      return false;
    }
    for (size_t i = 0; i < types_.size(); ++i) {
      if (!take(i, row, reason)) {
        nulls_.discard();
        return false;
      }
    }
    nulls_.apply();
    return true;
  }

 private:
  bool take(size_t index, size_t row, std::string& reason) {
    const re2::StringPiece& group = groups_[static_cast<size_t>(group_of_field_[index])];
    const std::string_view text(group.data(), group.size());
    const bool is_absent = group.data() == nullptr;
    if (!is_absent && write_text_value(types_[index], text, *columns_[index], row)) return true;
    if (!is_absent && !spec_.null_on_error) {
      reason = describe_misfit(spec_.fields[index], types_[index], text);
      return false;
    }
    if (spec_.fields[index].required) {
      reason = format("field {} is missing, but required", spec_.fields[index].name);
      return false;
    }
    nulls_.add(*columns_[index], row);
    return true;
  }

  const ParseSpec spec_;
  const std::vector<lake::Type> types_;
  std::unique_ptr<re2::RE2> pattern_;
  std::vector<int> group_of_field_;
  std::vector<re2::StringPiece> groups_;
  std::vector<engine::MutableVector*> columns_;
  PendingNulls nulls_;
};

}  // namespace

std::unique_ptr<RecordParser> make_text_parser(const ParseSpec& spec,
                                               std::vector<lake::Type> types) {
  return std::make_unique<TextParser>(spec, std::move(types));
}

}  // namespace headrace::jobs::parse
