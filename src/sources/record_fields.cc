#include "sources/record_fields.h"

#include <simdjson.h>

#include "sources/record_time.h"

namespace headrace::sources {

static_assert(kRecordPadding >= simdjson::SIMDJSON_PADDING);

struct RecordFields::State {
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  std::string text;

  bool find(std::string_view record, const std::string& pointer, simdjson::ondemand::value& value) {
    const simdjson::padded_string_view padded(record.data(), record.size(),
                                              record.size() + kRecordPadding);
    if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return false;
    return document.at_pointer(pointer).get(value) == simdjson::SUCCESS;
  }
};

std::string to_json_pointer(const std::string& field) {
  if (field.empty() || field.front() == '/') return field;
  std::string pointer = "/";
  for (const char c : field) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

RecordFields::RecordFields() : state_(std::make_unique<State>()) {}
RecordFields::~RecordFields() = default;

std::optional<std::string_view> RecordFields::find_text(std::string_view record,
                                                        const std::string& pointer) {
  simdjson::ondemand::value value;
  if (!state_->find(record, pointer, value)) return std::nullopt;
  auto type = simdjson::ondemand::json_type::null;
  if (value.type().get(type) != simdjson::SUCCESS) return std::nullopt;
  std::string_view text;
  switch (type) {
    case simdjson::ondemand::json_type::null:
      return std::nullopt;
    case simdjson::ondemand::json_type::string:
      if (value.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
      return text;
    case simdjson::ondemand::json_type::array:
    case simdjson::ondemand::json_type::object:
      if (simdjson::to_json_string(value).get(text) != simdjson::SUCCESS) return std::nullopt;
      return text;
    default:
      break;
  }
  text = value.raw_json_token();
  const size_t end = text.find_last_not_of(" \t\r\n");
  return text.substr(0, end == std::string_view::npos ? 0 : end + 1);
}

std::optional<int64_t> RecordFields::find_time_ms(std::string_view record,
                                                  const std::string& pointer) {
  simdjson::ondemand::value value;
  if (!state_->find(record, pointer, value)) return std::nullopt;
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) return parse_time_ms(text);
  int64_t number = 0;
  if (value.get_int64().get(number) == simdjson::SUCCESS) return scale_time_to_ms(number);
  double real = 0;
  if (value.get_double().get(real) == simdjson::SUCCESS && real > -1e11 && real < 1e11) {
    return static_cast<int64_t>(real * 1000);
  }
  return std::nullopt;
}

}  // namespace headrace::sources
