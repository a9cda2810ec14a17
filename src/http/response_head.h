#pragma once

// The head of an answer as it goes over the wire (RFC 9112).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace headrace::http {

std::string_view reason_phrase(int status);

enum class Framing { kLength, kChunked, kUntilClose };

struct BodyFraming {
  Framing framing = Framing::kLength;
  uint64_t length = 0;  // for kLength
};

// Status line, the response's fields without those about framing, which are the server's, and the
// empty line. CR and LF in a field become spaces: a value must not make a field of its own.
std::string response_head(const Response& response, BodyFraming body, bool keep_alive);

// 1xx, 204 and 304 have no body and no length.
bool may_have_body(int status);

}  // namespace headrace::http
