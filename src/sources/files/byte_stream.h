#pragma once

// The bytes of a file in order, decompressed where it is compressed. Positions count decompressed
// bytes. Not thread-safe.

#include <cstdint>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "sources/files/options.h"

namespace headrace::sources {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Fills up to `size` bytes; 0 at the end of the file. Throws corrupt for a broken or cut
  // compressed stream.
  virtual size_t read(char* into, size_t size) = 0;
  // Goes on to an absolute position at or after the present one. False when the file ends before.
  virtual bool skip_to(uint64_t position) = 0;
  virtual uint64_t position() const = 0;
};

// By suffix when `compression` is kAuto: .gz, .zst.
FileCompression compression_of(const std::string& path, FileCompression compression);

// `file` must outlive the stream; `path` is for messages.
std::unique_ptr<ByteStream> open_byte_stream(ReadFile& file, const std::string& path,
                                             FileCompression compression);

}  // namespace headrace::sources
