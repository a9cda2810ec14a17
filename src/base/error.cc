#include "base/error.h"

#include <cerrno>
#include <cstring>
#include <iterator>

namespace headrace {
namespace {

// Exit codes follow sysexits.h where it has a fitting one.
constexpr ErrorCodes kCodes[] = {
    {ErrorKind::kInvalid, "invalid", 400, "22023", 2},
    {ErrorKind::kNotFound, "not_found", 404, "42P01", 3},
    {ErrorKind::kAlreadyExists, "already_exists", 409, "42P07", 4},
    {ErrorKind::kConflict, "conflict", 409, "40001", 5},
    {ErrorKind::kCommitUnknown, "commit_unknown", 500, "08007", 6},
    {ErrorKind::kUnavailable, "unavailable", 503, "57P03", 69},
    {ErrorKind::kTimeout, "timeout", 504, "57014", 7},
    {ErrorKind::kCancelled, "cancelled", 499, "57014", 130},
    {ErrorKind::kDenied, "denied", 403, "42501", 77},
    {ErrorKind::kCorrupt, "corrupt", 500, "XX001", 65},
    {ErrorKind::kUnsupported, "unsupported", 501, "0A000", 8},
    {ErrorKind::kInternal, "internal", 500, "XX000", 70},
};

}  // namespace

const ErrorCodes& codes_of(ErrorKind kind) {
  for (const ErrorCodes& codes : kCodes) {
    if (codes.kind == kind) return codes;
  }
  return kCodes[std::size(kCodes) - 1];
}

void fail_errno(int error_number, std::string_view doing, std::string_view what) {
  ErrorKind kind = ErrorKind::kInternal;
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      kind = ErrorKind::kNotFound;
      break;
    case EEXIST:
      kind = ErrorKind::kAlreadyExists;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      kind = ErrorKind::kDenied;
      break;
    case ENOSPC:
    case EDQUOT:
    case EIO:
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case EBUSY:
      kind = ErrorKind::kUnavailable;
      break;
    case EINVAL:
    case ENAMETOOLONG:
    case EISDIR:
      kind = ErrorKind::kInvalid;
      break;
    default:
      break;
  }
  fail(kind, "{} {}: {}", doing, what, std::strerror(error_number));
}

}  // namespace headrace
