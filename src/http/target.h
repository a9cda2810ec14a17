#pragma once

// The request target of RFC 9112 in origin form: a path and a query.

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace headrace::http {

struct Target {
  std::vector<std::string> segments;  // percent-decoded; a trailing slash adds nothing
  Parameters query;                   // percent-decoded, '+' is a space
};

// Throws invalid for what is not an absolute path, a broken percent escape, a NUL, or "." and ".."
// segments (nobody needs them, and some take them for a way out of the path).
Target parse_target(std::string_view target);

// For building targets: everything but the unreserved characters of RFC 3986 is escaped.
std::string percent_encode(std::string_view text);

}  // namespace headrace::http
