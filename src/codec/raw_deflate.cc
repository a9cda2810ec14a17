#include "codec/raw_deflate.h"

#include <zlib.h>

#include "base/error.h"

namespace headrace::codec {
namespace {

constexpr int kRawWindowBits = -15;
constexpr int kMemoryLevel = 8;
constexpr size_t kChunkSize = 64 * 1024;

Bytef* input_of(std::string_view in) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
}

class Inflation {
 public:
  explicit Inflation(std::string_view in) {
    stream_.next_in = input_of(in);
    stream_.avail_in = static_cast<uInt>(in.size());
    if (inflateInit2(&stream_, kRawWindowBits) != Z_OK) {
      fail(ErrorKind::kUnavailable, "decompressing deflate: out of memory");
    }
  }
  ~Inflation() { inflateEnd(&stream_); }
  Inflation(const Inflation&) = delete;
  Inflation& operator=(const Inflation&) = delete;

  // True at the end of the stream.
  bool append_to(std::string& out) {
    const size_t before = out.size();
    out.resize(before + kChunkSize);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream_.avail_out = kChunkSize;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    out.resize(out.size() - stream_.avail_out);
    if (code == Z_STREAM_END) return true;
    if (code != Z_OK) fail(ErrorKind::kCorrupt, "decompressing deflate: the data is damaged");
    return false;
  }

 private:
  z_stream stream_{};
};

void check_size(std::string_view in) {
  if (in.size() > UINT32_MAX / 2) {
    fail(ErrorKind::kInvalid, "deflate: a block of {} bytes is too large", in.size());
  }
}

}  // namespace

std::string raw_deflate(std::string_view in) {
  check_size(in);
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRawWindowBits, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    fail(ErrorKind::kUnavailable, "compressing with deflate: out of memory");
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(in.size())), '\0');
  stream.next_in = input_of(in);
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) fail(ErrorKind::kInternal, "compressing with deflate: code {}", code);
  return out;
}

std::string raw_inflate(std::string_view in, size_t max_bytes) {
  check_size(in);
  Inflation inflation(in);
  std::string out;
  while (!inflation.append_to(out)) {
    if (out.size() > max_bytes) break;
  }
  if (out.size() > max_bytes) {
    fail(ErrorKind::kInvalid, "decompressing deflate: more than {} bytes come out", max_bytes);
  }
  return out;
}

}  // namespace headrace::codec
