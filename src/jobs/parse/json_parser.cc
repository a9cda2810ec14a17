#include <cstring>
#include <limits>

#include <simdjson.h>

#include "base/format.h"
#include "jobs/parse/record_parser.h"
#include "jobs/parse/text_value.h"

namespace headrace::jobs::parse {
namespace {

using simdjson::ondemand::json_type;

// Why a value could not be taken: it is no value of the type, or the JSON itself is broken.
enum class Outcome { kWritten, kNull, kMisfit };

// Writes JSON values of one type into a vector; throws simdjson_error for broken JSON.
class ValueWriter {
 public:
  ValueWriter(lake::Type type, PendingNulls& nulls) : type_(std::move(type)), nulls_(nulls) {
    for (const lake::Field& field : type_.fields) children_.emplace_back(field.type, nulls);
  }

  const lake::Type& type() const { return type_; }

  Outcome write(simdjson::ondemand::value value, engine::MutableVector& vector, size_t row) {
    const json_type kind = value.type();
    if (kind == json_type::null) {
      value.is_null();
      nulls_.add(vector, row);
      return Outcome::kNull;
    }
    switch (type_.kind) {
      case lake::TypeKind::kStruct:
        return kind == json_type::object ? write_struct(value, vector, row) : Outcome::kMisfit;
      case lake::TypeKind::kList:
        return kind == json_type::array ? write_list(value, vector, row) : Outcome::kMisfit;
      case lake::TypeKind::kString:
        return write_string(value, kind, vector, row);
      case lake::TypeKind::kBoolean:
        if (kind != json_type::boolean) return write_text(value, kind, vector, row);
        vector.data<bool>()[row] = value.get_bool();
        return Outcome::kWritten;
      case lake::TypeKind::kInt:
      case lake::TypeKind::kLong:
        return write_integer(value, kind, vector, row);
      default:
        return write_text(value, kind, vector, row);
    }
  }

 private:
  Outcome write_integer(simdjson::ondemand::value& value, json_type kind,
                        engine::MutableVector& vector, size_t row) {
    if (kind != json_type::number) return write_text(value, kind, vector, row);
    int64_t number = 0;
    const auto failure = value.get_int64().get(number);
    if (failure != simdjson::SUCCESS) return Outcome::kMisfit;
    if (type_.kind == lake::TypeKind::kLong) {
      vector.data<int64_t>()[row] = number;
      return Outcome::kWritten;
    }
    if (number < std::numeric_limits<int32_t>::min() ||
        number > std::numeric_limits<int32_t>::max()) {
      return Outcome::kMisfit;
    }
    vector.data<int32_t>()[row] = static_cast<int32_t>(number);
    return Outcome::kWritten;
  }

  // Text for anything: strings unescaped, everything else as it is written.
  Outcome write_string(simdjson::ondemand::value& value, json_type kind,
                       engine::MutableVector& vector, size_t row) {
    if (kind == json_type::string) {
      const std::string_view text = value.get_string();
      vector.set_string(row, text);
    } else {
      vector.set_string(row, raw_text(value, kind));
    }
    return Outcome::kWritten;
  }

  // Numbers, times and so on: from a string or from a number's own digits.
  Outcome write_text(simdjson::ondemand::value& value, json_type kind,
                     engine::MutableVector& vector, size_t row) {
    if (kind == json_type::array || kind == json_type::object) return Outcome::kMisfit;
    const bool is_numeric = type_.kind == lake::TypeKind::kDouble ||
                            type_.kind == lake::TypeKind::kFloat ||
                            type_.kind == lake::TypeKind::kDecimal;
    if (kind == json_type::number && !is_numeric) return Outcome::kMisfit;
    if (kind == json_type::boolean) return Outcome::kMisfit;
    const std::string_view text =
        kind == json_type::string ? std::string_view(value.get_string()) : raw_text(value, kind);
    return write_text_value(type_, text, vector, row) ? Outcome::kWritten : Outcome::kMisfit;
  }

  Outcome write_struct(simdjson::ondemand::value& value, engine::MutableVector& vector,
                       size_t row) {
    std::vector<bool> found(children_.size(), false);
    for (auto member : value.get_object()) {
      const std::string_view key = member.unescaped_key();
      for (size_t i = 0; i < children_.size(); ++i) {
        if (type_.fields[i].name != key) continue;
        engine::MutableVector child = vector.struct_child(i);
        if (children_[i].write(member.value(), child, row) == Outcome::kMisfit)
          return Outcome::kMisfit;
        found[i] = true;
        break;
      }
    }
    for (size_t i = 0; i < children_.size(); ++i) {
      if (!found[i]) nulls_.add(vector.struct_child(i), row);
    }
    return Outcome::kWritten;
  }

  Outcome write_list(simdjson::ondemand::value& value, engine::MutableVector& vector, size_t row) {
    const size_t first = vector.list_size();
    size_t size = first;
    for (auto element : value.get_array()) {
      vector.set_list_size(++size);
      engine::MutableVector child = vector.list_child();
      if (children_[0].write(element.value(), child, size - 1) == Outcome::kMisfit)
        return Outcome::kMisfit;
    }
    vector.data<engine::MutableVector::ListEntry>()[row] = {first, size - first};
    return Outcome::kWritten;
  }

  static std::string_view raw_text(simdjson::ondemand::value& value, json_type kind) {
    std::string_view text;
    if (kind == json_type::object) {
      text = value.get_object().value().raw_json();
    } else if (kind == json_type::array) {
      text = value.get_array().value().raw_json();
    } else {
      text = value.raw_json_token();
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\t' ||
                             text.back() == '\r')) {
      text.remove_suffix(1);
    }
    return text;
  }

  lake::Type type_;
  PendingNulls& nulls_;
  std::vector<ValueWriter> children_;
};

class JsonParser final : public RecordParser {
 public:
  JsonParser(const ParseSpec& spec, std::vector<lake::Type> types) : spec_(spec) {
    for (lake::Type& type : types) writers_.emplace_back(std::move(type), nulls_);
    found_.resize(spec.fields.size());
    for (size_t i = 0; i < spec.fields.size(); ++i) {
      if (!spec.fields[i].path.empty()) pointed_.push_back(i);
    }
  }

  void set_columns(const std::vector<engine::MutableVector*>& columns) override {
    columns_ = columns;
  }

  bool parse(std::string_view value, size_t row, std::string& reason) override {
    std::fill(found_.begin(), found_.end(), false);
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
      const size_t index = index_of(member.unescaped_key(), expected);
      if (index == spec_.fields.size()) {
        // Looked at all the same: a broken value anywhere makes the record broken.
        skim(member.value());
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

  static void skim(simdjson::ondemand::value value) {
    switch (value.type()) {
      case json_type::string:
        value.get_string().value();
        break;
      case json_type::number:
        value.get_number().value();
        break;
      case json_type::boolean:
        value.get_bool().value();
        break;
      default:
        break;
    }
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

  size_t index_of(std::string_view key, size_t expected) const {
    const auto is_field = [&](size_t i) {
      return spec_.fields[i].path.empty() && spec_.fields[i].name == key;
    };
    if (expected < spec_.fields.size() && is_field(expected)) return expected;
    for (size_t i = 0; i < spec_.fields.size(); ++i) {
      if (is_field(i)) return i;
    }
    return spec_.fields.size();
  }

  bool take(size_t index, simdjson::ondemand::value value, size_t row, std::string& reason) {
    found_[index] = true;
    engine::MutableVector& column = *columns_[index];
    const std::string_view token = value.raw_json_token();
    const Outcome outcome = writers_[index].write(value, column, row);
    if (outcome == Outcome::kWritten) return true;
    if (outcome == Outcome::kNull) return check_null(index, reason);
    if (spec_.null_on_error) {
      nulls_.add(column, row);
      return check_null(index, reason);
    }
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
    nulls_.add(*columns_[index], row);
    return true;
  }

  const ParseSpec spec_;
  PendingNulls nulls_;
  std::vector<ValueWriter> writers_;
  std::vector<size_t> pointed_;
  std::vector<engine::MutableVector*> columns_;
  std::vector<bool> found_;
  simdjson::ondemand::parser parser_;
};

}  // namespace

std::unique_ptr<RecordParser> make_json_parser(const ParseSpec& spec,
                                               std::vector<lake::Type> types) {
  return std::make_unique<JsonParser>(spec, std::move(types));
}

}  // namespace headrace::jobs::parse
