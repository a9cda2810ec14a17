#pragma once

// Decompression of a stream that arrives in chunks: an HTTP body, a file larger than memory.
//
//   auto stream = make_decompressor(Codec::kGzip, limit);
//   while (next_chunk(chunk)) {
//     stream->feed(chunk);
//     while (size_t size = stream->read(buffer, sizeof buffer)) use(buffer, size);
//   }
//   stream->finish();
//
// The output is pulled, so that a chunk which expands a thousandfold never has to be held whole.
// Several gzip members or zstd and lz4 frames after each other are one stream. One thread at a
// time.

#include <cstdint>
#include <memory>
#include <string_view>

#include "codec/compression.h"

namespace headrace::codec {

class Decompressor {
 public:
  virtual ~Decompressor() = default;
  // The next input. It must stay valid until read() has returned 0; to be called only then (or
  // first).
  virtual void feed(std::string_view chunk) = 0;
  // Decompresses up to `size` bytes. 0: all that was fed is used up. Error corrupt for input that
  // is not of the format, invalid when more than the limit would come out.
  virtual size_t read(char* into, size_t size) = 0;
  // Error corrupt when the stream ended inside a frame or member.
  virtual void finish() = 0;
};

constexpr uint64_t kNoLimit = UINT64_MAX;

// kNone passes the bytes through, so that callers need not tell the difference.
std::unique_ptr<Decompressor> make_decompressor(Codec codec, uint64_t max_output_bytes = kNoLimit);

}  // namespace headrace::codec
