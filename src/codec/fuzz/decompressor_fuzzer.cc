// Foreign bytes through every decompressor: no crash, nothing past the limit.

#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "codec/decompressor.h"

using namespace headrace;
using namespace headrace::codec;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint64_t kLimit = 1 << 20;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const Codec codec : {Codec::kGzip, Codec::kLz4, Codec::kZstd}) {
    try {
      if (decompress(codec, bytes, kLimit).size > kLimit) __builtin_trap();
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kInternal) __builtin_trap();
    }
  }
  return 0;
}
