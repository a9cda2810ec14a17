// Records lie inside the body, in order, and splitting ends.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "server/record_reader.h"
#include "server/record_splitter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace headrace::server;
  if (size == 0) return 0;
  const auto format = static_cast<BodyFormat>(data[0] % 3);
  std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t length = body.size();
  body.append(kJsonPadding, '\0');
  RecordSplitter splitter(format, std::string_view(body).substr(0, length));
  RecordReader reader({"/a/b", "/t"});
  BodyRecord record;
  const char* previous_end = body.data();
  try {
    while (splitter.next(record)) {
      if (record.bytes.data() < previous_end) std::abort();
      previous_end = record.bytes.data() + record.bytes.size();
      if (previous_end > body.data() + length) std::abort();
      try {
        reader.read(record.bytes);
      } catch (const headrace::Error&) {
      }
    }
  } catch (const headrace::Error&) {
  }
  return 0;
}
