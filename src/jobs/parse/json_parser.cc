#include <algorithm>
#include <set>

#include "base/format.h"
#include "jobs/parse/json_value.h"
#include "jobs/parse/record_parser.h"

namespace headrace::jobs::parse {
namespace {

using simdjson::ondemand::json_type;

class JsonParser final : public RecordParser {
 public:
  JsonParser(const ParseSpec& spec, std::vector<lake::Type> types, bool is_final)
      : spec_(spec), is_final_(is_final), ignored_(spec.ignore.begin(), spec.ignore.end()) {
    for (size_t i = 0; i < spec.fields.size(); ++i) {
      const ParseField& field = spec.fields[i];
      writers_.emplace_back(std::move(types[i]),
                            ValueRules{field.is_inferred, spec.on_conflict, is_final}, nulls_);
      if (field.path.empty()) {
        names_.add(field.key());
      } else {
        pointed_.push_back(i);
        names_.add_unnamed();
      }
    }
    found_.resize(spec.fields.size());
  }

  void set_columns(const std::vector<engine::MutableVector*>& columns) override {
    columns_ = columns;
  }

  bool found_news() const override { return found_news_; }

  bool parse(std::string_view value, size_t row, std::string& reason) override {
    std::fill(found_.begin(), found_.end(), false);
    found_news_ = false;
    end_ = value.data() + value.size();
    try {
      auto document =
          parser_.iterate(value.data(), value.size(), value.size() + kPaddingBytes).value();
      if (document.type() != json_type::object) {
        reason = "the record is no JSON object";
        return discard();
      }
      if (!take_members(document, row, reason)) return discard();
      if (!pointed_.empty() && !take_pointed(value, row, reason)) return discard();
    } catch (const simdjson::simdjson_error& error) {
      reason = format("broken JSON: {}", error.what());
      return discard();
    }
    for (size_t i = 0; i < found_.size(); ++i) {
      if (!found_[i] && !take_missing(i, row, reason)) return discard();
    }
    nulls_.apply();
    return true;
  }

 private:
  bool discard() {
    nulls_.discard();
    return false;
  }

  bool take_members(simdjson::ondemand::document& document, size_t row, std::string& reason) {
    size_t expected = 0;  // members mostly come in the same order
    auto object = document.get_object().value();
    for (auto member : object) {
      const std::string_view key = member.unescaped_key();
      const size_t index = names_.find(key, expected);
      if (index == names_.size()) {
        if (!pass_over(key, member.value(), reason)) return false;
        continue;
      }
      expected = index + 1;
      if (!take(index, member.value(), row, reason)) return false;
    }
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
      reason = "broken JSON: more after the end of the object";
      return false;
    }
    return true;
  }

  // A member without a column.
  bool pass_over(std::string_view key, simdjson::ondemand::value value, std::string& reason) {
    if (!spec_.is_inferring || ignored_.contains(std::string(key))) {
      // Looked at all the same: a broken value anywhere makes the record broken.
      skim(value);
      return true;
    }
    const std::string name(key);
    if (!type_of(look_at(value))) return true;
    found_news_ = !is_final_;
    reason = format("field {}: the node has as many columns as 'max_columns' allows", name);
    return false;
  }

  // Members by pointer need a look at the document from its start each.
  bool take_pointed(std::string_view value, size_t row, std::string& reason) {
    for (const size_t index : pointed_) {
      auto document =
          parser_.iterate(value.data(), value.size(), value.size() + kPaddingBytes).value();
      auto found = document.at_pointer(spec_.fields[index].path);
      const auto failure = found.error();
      if (failure == simdjson::NO_SUCH_FIELD || failure == simdjson::INDEX_OUT_OF_BOUNDS ||
          failure == simdjson::INCORRECT_TYPE) {
        continue;
      }
      if (!take(index, found.value(), row, reason)) return false;
    }
    return true;
  }

  bool take(size_t index, simdjson::ondemand::value value, size_t row, std::string& reason) {
    const std::string_view token = value.raw_json_token();
    const Outcome outcome = writers_[index].write(value, *columns_[index], row, end_);
    found_[index] = outcome != Outcome::kMisfit || spec_.null_on_error;
    switch (outcome) {
      case Outcome::kWritten:
        return true;
      case Outcome::kNull:
        return check_null(index, reason);
      case Outcome::kNews:
        found_news_ = true;
        return false;
      case Outcome::kMisfit:
        break;
    }
    if (spec_.fields[index].is_inferred) return take_misfit(index, token, row, reason);
    if (spec_.null_on_error) {
      writers_[index].write_null(*columns_[index], row);
      return check_null(index, reason);
    }
    return refuse(index, token, reason);
  }

  // A value that is not of the type of its inferred column.
  bool take_misfit(size_t index, std::string_view token, size_t row, std::string& reason) {
    const bool has_place = goes_beside(spec_.on_conflict);
    if (has_place && take_beside(index, token, row)) return true;
    found_news_ = found_news_ || (has_place && !is_final_);
    return refuse(index, token, reason);
  }

  bool take_beside(size_t index, std::string_view token, size_t row) {
    const char* begin = token.data();
    LoneValue value(begin, static_cast<size_t>(end_ - begin));
    for (const std::string& name :
         names_beside(spec_.fields[index].name, value, spec_.on_conflict)) {
      const size_t beside = names_.find(name, index + 1);
      if (beside == names_.size()) {
        if (is_final_) continue;
        return false;  // it may come
      }
      const Outcome outcome = writers_[beside].write(value.read(), *columns_[beside], row, end_);
      found_news_ = found_news_ || outcome == Outcome::kNews;
      if (outcome == Outcome::kMisfit) continue;
      found_[beside] = outcome == Outcome::kWritten;
      found_[index] = false;  // NULL beside it
      return outcome == Outcome::kWritten;
    }
    return false;
  }

  bool refuse(size_t index, std::string_view token, std::string& reason) const {
    std::string_view shown = token;
    while (!shown.empty() && (shown.back() == ' ' || shown.back() == '\n')) shown.remove_suffix(1);
    if (shown.size() >= 2 && shown.front() == '"' && shown.back() == '"')
      shown = shown.substr(1, shown.size() - 2);
    reason = describe_misfit(spec_.fields[index], writers_[index].type(), shown);
    return false;
  }

  bool check_null(size_t index, std::string& reason) const {
    if (!spec_.fields[index].required) return true;
    reason = format("field {} is NULL, but required", spec_.fields[index].name);
    return false;
  }

  bool take_missing(size_t index, size_t row, std::string& reason) {
    if (spec_.fields[index].required) {
      reason = format("field {} is missing, but required", spec_.fields[index].name);
      return false;
    }
    writers_[index].write_null(*columns_[index], row);
    return true;
  }

  const ParseSpec spec_;
  const bool is_final_;
  const std::set<std::string> ignored_;
  PendingNulls nulls_;
  std::vector<ValueWriter> writers_;
  MemberNames names_;
  std::vector<size_t> pointed_;
  std::vector<engine::MutableVector*> columns_;
  std::vector<bool> found_;
  bool found_news_ = false;
  const char* end_ = nullptr;  // of the record at work
  simdjson::ondemand::parser parser_;
};

}  // namespace

std::unique_ptr<RecordParser> make_json_parser(const ParseSpec& spec, std::vector<lake::Type> types,
                                               bool is_final) {
  return std::make_unique<JsonParser>(spec, std::move(types), is_final);
}

}  // namespace headrace::jobs::parse
