// Any bytes as the answers of an S3 server and as the files of ~/.aws: read or refused, without a
// crash.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "objects/aws_profiles.h"
#include "objects/s3_xml.h"
#include "objects/uri.h"

namespace {

template <class Parse>
void attempt(Parse parse) {
  try {
    parse();
  } catch (const headrace::Error&) {
    // Refused.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace headrace::objects;  // NOLINT(google-build-using-namespace)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  attempt([&] { parse_complaint(text); });
  attempt([&] { parse_listing(text); });
  attempt([&] { parse_upload_id(text); });
  attempt([&] { parse_uploads(text); });
  attempt([&] { parse_completed(text); });
  attempt([&] { parse_deletion(text); });
  attempt([&] { parse_assumed_role(text); });
  attempt([&] { parse_profiles(text, "fuzzed", true); });
  attempt([&] { parse_profiles(text, "fuzzed", false); });
  attempt([&] { normalized(std::string(text)); });
  return 0;
}
