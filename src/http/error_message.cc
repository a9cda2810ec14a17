// Errors as JSON answers, and JSON answers as errors.

#include "http/message.h"

namespace headrace::http {
namespace {

constexpr ErrorKind kKinds[] = {
    ErrorKind::kInvalid,  ErrorKind::kNotFound,      ErrorKind::kAlreadyExists,
    ErrorKind::kConflict, ErrorKind::kCommitUnknown, ErrorKind::kUnavailable,
    ErrorKind::kTimeout,  ErrorKind::kCancelled,     ErrorKind::kDenied,
    ErrorKind::kCorrupt,  ErrorKind::kUnsupported,   ErrorKind::kInternal,
};

// For answers without a type that we know: what a proxy or another server says.
ErrorKind kind_of_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorKind::kDenied;
    case 404:
      return ErrorKind::kNotFound;
    case 408:
    case 504:
      return ErrorKind::kTimeout;
    case 409:
      return ErrorKind::kConflict;
    case 429:
    case 502:
    case 503:
      return ErrorKind::kUnavailable;
    case 499:
      return ErrorKind::kCancelled;
    case 501:
      return ErrorKind::kUnsupported;
    default:
      return status < 500 ? ErrorKind::kInvalid : ErrorKind::kInternal;
  }
}

ErrorKind kind_of(int status, std::string_view type) {
  for (const ErrorKind kind : kKinds) {
    if (codes_of(kind).name == type) return kind;
  }
  return kind_of_status(status);
}

// The member "error" of a body in our form; nullptr when it is something else.
const Json* find_error(const Json& body) {
  if (!body.is_object()) return nullptr;
  const Json* error = find_member(body, "error");
  return error != nullptr && error->is_object() ? error : nullptr;
}

}  // namespace

Response error_response(int status, std::string_view type, std::string_view message,
                        std::optional<int64_t> line) {
  JsonObject error = {{"type", type}, {"message", message}, {"code", status}};
  if (line.has_value()) error["line"] = *line;
  return json_response(status, JsonObject{{"error", std::move(error)}});
}

Response error_response(const Error& error, std::optional<int64_t> line) {
  const ErrorCodes& codes = codes_of(error.kind());
  Response response = error_response(codes.http_status, codes.name, error.message(), line);
  if (error.kind() == ErrorKind::kUnavailable) response.headers.set("Retry-After", "1");
  return response;
}

Response error_response(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& known) {
    return error_response(known);
  } catch (const std::exception& unknown) {
    return error_response(Error(ErrorKind::kInternal, unknown.what()));
  } catch (...) {
    return error_response(Error(ErrorKind::kInternal, "an unknown exception"));
  }
}

void throw_if_error(const Response& response) {
  if (response.status < 400) return;
  Json body;
  try {
    body = parse_json(response.body, "error answer");
  } catch (const Error&) {
    body = nullptr;
  }
  const Json* error = find_error(body);
  if (error == nullptr) {
    fail(kind_of_status(response.status), "the server answered {}: {}", response.status,
         response.body.substr(0, 500));
  }
  std::string message = string_member_or(*error, "message", "no message");
  if (find_member(*error, "line") != nullptr) {
    message += format(" (line {})", integer_member_or(*error, "line", 0));
  }
  throw Error(kind_of(response.status, string_member_or(*error, "type", "")), message);
}

Json json_of(const Response& response) {
  throw_if_error(response);
  return parse_json(response.body, "the server's answer");
}

}  // namespace headrace::http
