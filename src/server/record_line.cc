// A record as one line of JSON.

#include <simdjson.h>

#include "base/clock.h"
#include "server/topic_json.h"

namespace headrace::server {
namespace {

std::string to_base64(std::string_view bytes) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? kAlphabet[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

// "name": text, or "name_base64" when the bytes are not UTF-8; null when there are none.
void put_bytes(JsonObject& object, std::string_view name, std::optional<std::string_view> bytes) {
  if (!bytes.has_value()) {
    object[name] = nullptr;
  } else if (simdjson::validate_utf8(bytes->data(), bytes->size())) {
    object[name] = *bytes;
  } else {
    object[std::string(name) + "_base64"] = to_base64(*bytes);
  }
}

}  // namespace

void append_record_line(std::string& out, int partition, const stream::RecordView& record) {
  JsonObject line{{"partition", partition},
                  {"offset", record.offset},
                  {"timestamp", to_iso8601(Timestamp(milliseconds(record.timestamp_ms)))}};
  put_bytes(line, "key", record.key);
  put_bytes(line, "value", record.value);
  JsonObject headers;
  for (const stream::RecordHeader& header : stream::decode_headers(record)) {
    put_bytes(headers, header.key, header.value);
  }
  line["headers"] = std::move(headers);
  out += to_text(line);
  out += '\n';
}

}  // namespace headrace::server
