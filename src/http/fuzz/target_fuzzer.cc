// What a target decodes to, encoded again, decodes to the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace headrace::http;
  Target target;
  try {
    target = parse_target({reinterpret_cast<const char*>(data), size});
  } catch (const headrace::Error&) {
    return 0;
  }
  std::string again;
  for (const std::string& segment : target.segments) again += "/" + percent_encode(segment);
  if (again.empty()) again = "/";
  char separator = '?';
  for (const auto& [name, value] : target.query) {
    again += separator + percent_encode(name) + "=" + percent_encode(value);
    separator = '&';
  }
  const Target second = parse_target(again);
  if (second.segments != target.segments || second.query != target.query) std::abort();
  return 0;
}
