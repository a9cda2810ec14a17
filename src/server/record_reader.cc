#include "server/record_reader.h"

#include <utility>

#include <simdjson.h>

#include "base/error.h"
#include "sources/record_fields.h"
#include "sources/record_time.h"

namespace headrace::server {

static_assert(kJsonPadding >= simdjson::SIMDJSON_PADDING);

struct RecordReader::State {
  simdjson::dom::parser parser;
  std::string key;  // of a value that is not a string

  simdjson::dom::element parse(std::string_view record) {
    simdjson::dom::element document;
    const auto problem = parser.parse(record.data(), record.size(), false).get(document);
    if (problem != simdjson::SUCCESS) {
      fail(ErrorKind::kInvalid, "the record is not one JSON value: {}",
           simdjson::error_message(problem));
    }
    return document;
  }
};

namespace {

simdjson::dom::element find(const simdjson::dom::element& document, const std::string& pointer,
                            std::string_view purpose) {
  simdjson::dom::element value;
  if (document.at_pointer(pointer).get(value) != simdjson::SUCCESS || value.is_null()) {
    fail(ErrorKind::kInvalid, "the record has no {} at '{}'", purpose, pointer);
  }
  return value;
}

int64_t time_ms(const simdjson::dom::element& value, const std::string& pointer) {
  std::string_view text;
  if (value.get_string().get(text) == simdjson::SUCCESS) {
    if (const auto time = sources::parse_time_ms(text)) return *time;
  }
  int64_t number = 0;
  if (value.get_int64().get(number) == simdjson::SUCCESS) return sources::scale_time_to_ms(number);
  fail(ErrorKind::kInvalid,
       "the timestamp at '{}' is neither ISO 8601 text nor a whole number of milliseconds",
       pointer);
}

std::optional<std::string> to_pointer(const std::optional<std::string>& path) {
  if (!path.has_value()) return std::nullopt;
  return sources::to_json_pointer(*path);
}

}  // namespace

RecordReader::RecordReader(RecordPaths paths)
    : paths_{to_pointer(paths.key), to_pointer(paths.timestamp)},
      state_(std::make_unique<State>()) {}

RecordReader::~RecordReader() = default;

RecordMetadata RecordReader::read(std::string_view record) {
  const simdjson::dom::element document = state_->parse(record);
  RecordMetadata metadata;
  if (paths_.key.has_value()) {
    const auto value = find(document, *paths_.key, "key");
    std::string_view text;
    if (value.get_string().get(text) != simdjson::SUCCESS) {
      state_->key = simdjson::minify(value);
      text = state_->key;
    }
    metadata.key = text;
  }
  if (paths_.timestamp.has_value()) {
    metadata.timestamp_ms =
        time_ms(find(document, *paths_.timestamp, "timestamp"), *paths_.timestamp);
  }
  return metadata;
}

}  // namespace headrace::server
