#include "iceberg_rest/rest_error.h"

namespace headrace::iceberg_rest {
namespace {

std::string not_found_type(Subject subject) {
  switch (subject) {
    case Subject::kNamespace:
      return "NoSuchNamespaceException";
    case Subject::kTable:
      return "NoSuchTableException";
    case Subject::kView:
      return "NoSuchViewException";
  }
  return "NotFoundException";
}

std::string type_of(ErrorKind kind, Subject subject) {
  switch (kind) {
    case ErrorKind::kInvalid:
      return "BadRequestException";
    case ErrorKind::kNotFound:
      return not_found_type(subject);
    case ErrorKind::kAlreadyExists:
      return "AlreadyExistsException";
    case ErrorKind::kConflict:
      return subject == Subject::kNamespace ? "NamespaceNotEmptyException"
                                            : "CommitFailedException";
    case ErrorKind::kCommitUnknown:
      return "CommitStateUnknownException";
    case ErrorKind::kDenied:
      return "ForbiddenException";
    case ErrorKind::kUnsupported:
      return "UnsupportedOperationException";
    case ErrorKind::kUnavailable:
    case ErrorKind::kTimeout:
    case ErrorKind::kCancelled:
      return "ServiceUnavailableException";
    case ErrorKind::kCorrupt:
    case ErrorKind::kInternal:
      break;
  }
  return "InternalServerException";
}

http::Response response(int status, const std::string& type, const std::string& message) {
  return http::json_response(
      status,
      JsonObject{{"error", JsonObject{{"message", message}, {"type", type}, {"code", status}}}});
}

}  // namespace

void fail_no_namespace(const std::string& name) {
  throw RestError(ErrorKind::kNotFound, "NoSuchNamespaceException",
                  format("namespace {} does not exist", name));
}

http::Response rest_error_response(const std::exception_ptr& error, Subject subject) {
  try {
    std::rethrow_exception(error);
  } catch (const RestError& known) {
    return response(codes_of(known.kind()).http_status, known.type(), known.message());
  } catch (const Error& known) {
    return response(codes_of(known.kind()).http_status, type_of(known.kind(), subject),
                    known.message());
  } catch (const boost::system::system_error& wrong_type) {  // a JSON value of another type
    return response(400, type_of(ErrorKind::kInvalid, subject), wrong_type.what());
  } catch (const std::exception& other) {
    return response(500, type_of(ErrorKind::kInternal, subject), other.what());
  }
}

}  // namespace headrace::iceberg_rest
