// Foreign bytes as the manifest of a partition in object storage: no crash, no error but corrupt
// and unsupported; what is taken is written again as it was read. The checksum is put right first,
// so that the fuzzer gets past it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "codec/crc32c.h"
#include "stream/remote_manifest.h"

using namespace headrace;
using namespace headrace::stream;

namespace {

std::optional<RemoteManifest> parse(const std::string& text) {
  try {
    return parse_remote_manifest(text);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt && error.kind() != ErrorKind::kUnsupported) {
      __builtin_trap();
    }
    return std::nullopt;
  }
}

void read_and_write(const std::string& text) {
  const auto manifest = parse(text);
  if (!manifest) return;
  const auto again = parse(encode_remote_manifest(*manifest));
  if (!again || again->segments.size() != manifest->segments.size() ||
      again->size_bytes() != manifest->size_bytes() ||
      again->next_offset() != manifest->next_offset() ||
      again->generation != manifest->generation || again->writer != manifest->writer) {
    __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  read_and_write(bytes);
  read_and_write(
      format("headrace remote manifest 1 crc32c {:08x}\n{}", codec::crc32c(bytes), bytes));
  return 0;
}
