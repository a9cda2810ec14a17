#pragma once

// Requests and responses as headrace's handlers and callers see them: independent of the transport
// and of the library beneath, so that a handler can be called over a socket or directly.

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace headrace::http {

// Header fields in order; names compare without regard to ASCII case.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  void add(std::string_view name, std::string_view value);
  void set(std::string_view name, std::string_view value);  // replaces all of that name
  void remove(std::string_view name);
  std::optional<std::string_view> find(std::string_view name) const;  // the first of that name
  std::string_view get_or(std::string_view name, std::string_view otherwise) const;
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  size_t size() const { return fields_.size(); }

 private:
  std::vector<Field> fields_;
};

using Parameters = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method = "GET";
  std::string target = "/";           // as sent: /v1/topics/a%20b?limit=1
  std::vector<std::string> segments;  // of the path, percent-decoded: v1, topics, "a b"
  Parameters query;                   // percent-decoded, '+' is a space
  Parameters path_parameters;         // what the router matched: topic = "a b"
  Headers headers;
  std::string body;  // whole, with its Content-Encoding already taken off
  std::string peer;  // "127.0.0.1:51234"; empty when called in process
  bool keep_alive = true;
  // Set off when the client goes away before it is answered.
  std::stop_token cancelled;

  // The value of a query parameter (of the first, when given twice).
  std::optional<std::string_view> query_parameter(std::string_view name) const;
  // The same as a number within [lowest, highest] or as true/false; invalid when it is not.
  int64_t integer_parameter(std::string_view name, int64_t otherwise, int64_t lowest,
                            int64_t highest) const;
  bool boolean_parameter(std::string_view name, bool otherwise) const;
  // A path parameter; internal when the route has none of that name.
  const std::string& path_parameter(std::string_view name) const;
};

// Splits and decodes `target` into a request's segments and query; invalid when malformed.
Request make_request(std::string_view method, std::string_view target);
Request make_request(std::string_view method, std::string_view target, std::string body,
                     std::string_view content_type);

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  // Instead of `body`: called again and again for the next piece, until it returns false (what it
  // put into `chunk` then is the last piece). May block (the server calls it on its worker pool,
  // one call at a time) and may throw, which breaks the connection off, so that the client cannot
  // take the part for the whole.
  std::function<bool(std::string& chunk)> stream;
  // Called once, from any thread, when the client is gone or the server gives up before `stream`
  // said it was done; possibly while `stream` runs. It must not block.
  std::function<void()> on_cancel;
};

Response json_response(int status, const Json& value);
Response text_response(int status, std::string text,
                       std::string_view content_type = "text/plain; charset=utf-8");

// {"error":{"type","message","code","line"?}} with the status of the kind (base/error.h).
Response error_response(const Error& error, std::optional<int64_t> line = std::nullopt);
// The same for 413, 415, 429 and others that no ErrorKind stands for.
Response error_response(int status, std::string_view type, std::string_view message,
                        std::optional<int64_t> line = std::nullopt);
// From whatever was thrown; what is not an Error is internal.
Response error_response(const std::exception_ptr& error);

// For callers: the response's JSON, or throws the Error that the response tells of.
Json json_of(const Response& response);
// Throws the Error that a response with a status from 400 on tells of.
void throw_if_error(const Response& response);

}  // namespace headrace::http
