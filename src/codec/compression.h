#pragma once

// Compression of whole buffers. Streams of unknown length: codec/decompressor.h.
//
// Formats: LZ4 frame (independent blocks and a content size, as Kafka wants it), zstd frames
// (RFC 8878), gzip members (RFC 1952). Decompression takes any sequence of frames or members of
// its format and always has a limit, so that a small hostile input cannot fill the memory.
// Thread use: any thread; each thread keeps its compression contexts for reuse.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace headrace::codec {

enum class Codec { kNone, kGzip, kLz4, kZstd };

std::string_view name_of(Codec codec);  // "none", "gzip", "lz4", "zstd"

constexpr int kDefaultLevel = 0;  // gzip 6, lz4 fast, zstd 3

// Appends the compressed form of `in` to `out`.
void compress(Codec codec, std::string_view in, std::string& out, int level = kDefaultLevel);
std::string compress(Codec codec, std::string_view in, int level = kDefaultLevel);

// Bytes without the zero filling of std::string; freely shared.
struct Buffer {
  std::shared_ptr<const char[]> data;
  size_t size = 0;
  std::string_view view() const { return {data.get(), size}; }
};

// Decompresses all of `in`. Error corrupt when `in` is not what `codec` writes or is cut short;
// invalid when the result would be larger than `max_bytes`.
Buffer decompress(Codec codec, std::string_view in, size_t max_bytes);

}  // namespace headrace::codec
