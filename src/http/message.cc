#include "http/message.h"

#include <algorithm>
#include <charconv>

#include "http/target.h"

namespace headrace::http {
namespace {

const std::string* find_parameter(const Parameters& parameters, std::string_view name) {
  const auto found = std::find_if(parameters.begin(), parameters.end(),
                                  [&](const auto& parameter) { return parameter.first == name; });
  return found == parameters.end() ? nullptr : &found->second;
}

}  // namespace

void Headers::add(std::string_view name, std::string_view value) {
  fields_.emplace_back(name, value);
}

void Headers::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_,
                [&](const Field& field) { return equal_ignoring_case(field.first, name); });
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (equal_ignoring_case(field.first, name)) return field.second;
  }
  return std::nullopt;
}

std::string_view Headers::get_or(std::string_view name, std::string_view otherwise) const {
  return find(name).value_or(otherwise);
}

std::optional<std::string_view> Request::query_parameter(std::string_view name) const {
  const std::string* value = find_parameter(query, name);
  if (value == nullptr) return std::nullopt;
  return *value;
}

int64_t Request::integer_parameter(std::string_view name, int64_t otherwise, int64_t lowest,
                                   int64_t highest) const {
  const std::string* text = find_parameter(query, name);
  if (text == nullptr) return otherwise;
  int64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [stop, problem] = std::from_chars(text->data(), end, value);
  if (problem != std::errc() || stop != end || value < lowest || value > highest) {
    fail(ErrorKind::kInvalid,
         "reading the query parameter '{}': '{}' is not a number from {} to {}", name, *text,
         lowest, highest);
  }
  return value;
}

bool Request::boolean_parameter(std::string_view name, bool otherwise) const {
  const std::string* text = find_parameter(query, name);
  if (text == nullptr) return otherwise;
  if (*text == "true" || *text == "1" || text->empty()) return true;
  if (*text == "false" || *text == "0") return false;
  fail(ErrorKind::kInvalid, "reading the query parameter '{}': '{}' is neither true nor false",
       name, *text);
}

const std::string& Request::path_parameter(std::string_view name) const {
  const std::string* value = find_parameter(path_parameters, name);
  if (value == nullptr) {
    fail(ErrorKind::kInternal, "the route of {} has no parameter '{}'", target, name);
  }
  return *value;
}

Request make_request(std::string_view method, std::string_view target) {
  Target parsed = parse_target(target);
  Request request;
  request.method = method;
  request.target = target;
  request.segments = std::move(parsed.segments);
  request.query = std::move(parsed.query);
  return request;
}

Request make_request(std::string_view method, std::string_view target, std::string body,
                     std::string_view content_type) {
  Request request = make_request(method, target);
  request.body = std::move(body);
  request.headers.set("Content-Type", content_type);
  return request;
}

Response json_response(int status, const Json& value) {
  return text_response(status, to_text(value) + "\n", "application/json");
}

Response text_response(int status, std::string text, std::string_view content_type) {
  Response response;
  response.status = status;
  response.headers.set("Content-Type", content_type);
  response.body = std::move(text);
  return response;
}

}  // namespace headrace::http
