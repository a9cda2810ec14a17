#pragma once

// Content-Encoding of request bodies.

#include <optional>
#include <string>
#include <string_view>

#include "codec/compression.h"

namespace headrace::http {

// The codec of a Content-Encoding: identity (also empty), gzip (x-gzip), zstd; nullopt for another.
std::optional<codec::Codec> codec_of_encoding(std::string_view encoding);

// Replaces `body` by its decoded form. invalid when it is not of the encoding. False, with the body
// emptied, when it would be larger than `max_bytes`.
bool decode_body(codec::Codec codec, std::string& body, uint64_t max_bytes);

}  // namespace headrace::http
