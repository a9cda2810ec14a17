#include "http/body_encoding.h"

#include <utility>

#include "base/error.h"
#include "http/message.h"

namespace headrace::http {

std::optional<codec::Codec> codec_of_encoding(std::string_view encoding) {
  if (encoding.empty() || equal_ignoring_case(encoding, "identity")) return codec::Codec::kNone;
  if (equal_ignoring_case(encoding, "gzip") || equal_ignoring_case(encoding, "x-gzip")) {
    return codec::Codec::kGzip;
  }
  if (equal_ignoring_case(encoding, "zstd")) return codec::Codec::kZstd;
  return std::nullopt;
}

bool decode_body(codec::Codec codec, std::string& body, uint64_t max_bytes) {
  if (codec == codec::Codec::kNone) return true;
  const std::string encoded = std::exchange(body, {});
  try {
    body.assign(codec::decompress(codec, encoded, max_bytes).view());
    return true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kInvalid)
      return false;  // that is codec's "larger than the limit"
    fail(ErrorKind::kInvalid, "decoding the request's body as {}: {}", codec::name_of(codec),
         error.message());
  }
}

}  // namespace headrace::http
