#pragma once

// Errors as clients of the REST catalog know them: {"error":{"message","type","code"}}, where the
// type names one of Iceberg's exceptions and the code repeats the HTTP status.

#include <exception>
#include <string>

#include "base/error.h"
#include "http/message.h"

namespace headrace::iceberg_rest {

// What a route is about: the thing that is not found, or is in the way.
enum class Subject { kNamespace, kTable, kView };

// Where the kind and the subject do not tell the exception.
class RestError : public Error {
 public:
  RestError(ErrorKind kind, std::string type, const std::string& message)
      : Error(kind, message), type_(std::move(type)) {}
  const std::string& type() const { return type_; }

 private:
  std::string type_;
};

[[noreturn]] void fail_no_namespace(const std::string& name);

http::Response rest_error_response(const std::exception_ptr& error, Subject subject);

}  // namespace headrace::iceberg_rest
