#include "base/json.h"

#include <boost/json/src.hpp>  // the library's code, compiled here once

#include "base/error.h"

namespace headrace {
namespace {

void write_pretty(const Json& value, std::string& out, int indentation) {
  const auto newline = [&](int depth) {
    out.append("\n").append(static_cast<size_t>(depth) * 2, ' ');
  };
  if (value.is_object() && !value.get_object().empty()) {
    out += '{';
    bool first = true;
    for (const auto& [key, child] : value.get_object()) {
      if (!first) out += ',';
      first = false;
      newline(indentation + 1);
      out += boost::json::serialize(Json(key)) + ": ";
      write_pretty(child, out, indentation + 1);
    }
    newline(indentation);
    out += '}';
  } else if (value.is_array() && !value.get_array().empty()) {
    out += '[';
    bool first = true;
    for (const Json& child : value.get_array()) {
      if (!first) out += ',';
      first = false;
      newline(indentation + 1);
      write_pretty(child, out, indentation + 1);
    }
    newline(indentation);
    out += ']';
  } else {
    out += boost::json::serialize(value);
  }
}

}  // namespace

Json parse_json(std::string_view text, std::string_view what) {
  boost::json::error_code failure;
  boost::json::stream_parser parser;
  const size_t consumed = parser.write_some(text.data(), text.size(), failure);
  if (!failure && consumed < text.size() &&
      text.find_first_not_of(" \t\r\n", consumed) != std::string_view::npos) {
    failure = boost::json::error::extra_data;
  }
  if (!failure) parser.finish(failure);
  if (failure) {
    fail(ErrorKind::kInvalid, "{} is not valid JSON: {} at byte {}", what, failure.message(),
         consumed);
  }
  return parser.release();
}

std::string to_text(const Json& value) { return boost::json::serialize(value); }

std::string to_pretty_text(const Json& value) {
  std::string out;
  write_pretty(value, out, 0);
  return out + "\n";
}

const Json* find_member(const Json& object, std::string_view name) {
  const JsonObject* members = object.if_object();
  if (members == nullptr) return nullptr;
  const Json* found = members->if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

const Json& member(const Json& object, std::string_view name) {
  const Json* found = find_member(object, name);
  if (found == nullptr) fail(ErrorKind::kInvalid, "JSON member '{}' is missing", name);
  return *found;
}

int64_t integer_member(const Json& object, std::string_view name) {
  const Json& found = member(object, name);
  if (found.is_int64()) return found.get_int64();
  if (found.is_uint64() && found.get_uint64() <= static_cast<uint64_t>(INT64_MAX)) {
    return static_cast<int64_t>(found.get_uint64());
  }
  fail(ErrorKind::kInvalid, "JSON member '{}' is not a 64-bit integer", name);
}

std::string string_member(const Json& object, std::string_view name) {
  const Json& found = member(object, name);
  if (!found.is_string()) fail(ErrorKind::kInvalid, "JSON member '{}' is not a string", name);
  return std::string(found.get_string());
}

std::string string_member_or(const Json& object, std::string_view name,
                             std::string_view otherwise) {
  return find_member(object, name) == nullptr ? std::string(otherwise)
                                              : string_member(object, name);
}

int64_t integer_member_or(const Json& object, std::string_view name, int64_t otherwise) {
  return find_member(object, name) == nullptr ? otherwise : integer_member(object, name);
}

}  // namespace headrace
