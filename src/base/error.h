#pragma once

// The one exception type of headrace. Its kind tells the caller's next action; its message says
// what was being done, to what, and what to do next. Kinds map to HTTP, SQLSTATE and exit codes in
// one table.
//
// Libraries' exceptions are caught in the module that wraps the library and become an Error there.

#include <stdexcept>
#include <string>
#include <string_view>

#include "base/format.h"

namespace headrace {

enum class ErrorKind {
  kInvalid,        // the request or setting is wrong: mend it, do not retry
  kNotFound,       // the thing named does not exist
  kAlreadyExists,  // the thing to be made exists
  kConflict,       // somebody else changed it meanwhile: read again and retry
  kCommitUnknown,  // a commit was sent and its outcome is not known: check by id before retrying
  kUnavailable,    // passing fault or overload: retry with back-off
  kTimeout,        // the time given was used up
  kCancelled,      // the caller, or a shutdown, asked to stop
  kDenied,         // credentials are missing or do not suffice
  kCorrupt,        // stored data breaks its format: never skipped, needs a person
  kUnsupported,    // right, but not something headrace does
  kInternal,       // a bug of headrace
};

// What a kind is called outside the program.
struct ErrorCodes {
  ErrorKind kind;
  std::string_view name;  // as in {"error":{"type":…}}
  int http_status;
  std::string_view sqlstate;
  int exit_code;
};

const ErrorCodes& codes_of(ErrorKind kind);

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

  ErrorKind kind() const { return kind_; }
  std::string message() const { return what(); }

  // The same error with what was being done put in front: "committing silver.edits: …".
  Error with_context(std::string_view context) const {
    return Error(kind_, std::string(context) + ": " + what());
  }

 private:
  ErrorKind kind_;
};

// Throws Error(kind, formatted message).
template <class... Args>
[[noreturn]] void fail(ErrorKind kind, format_string<Args...> text, Args&&... args) {
  throw Error(kind, format(text, std::forward<Args>(args)...));
}

// Turns errno into an Error: ENOENT → not_found, ENOSPC and EIO → unavailable, EACCES → denied, …
[[noreturn]] void fail_errno(int error_number, std::string_view doing, std::string_view what);

}  // namespace headrace
