#include "codec/compression.h"

#include <algorithm>

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include "base/error.h"
#include "codec/buffer_pool.h"
#include "codec/contexts.h"
#include "codec/decompressor.h"

namespace headrace::codec {
namespace {

void compress_lz4(std::string_view in, std::string& out, int level) {
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.blockSizeID = LZ4F_max256KB;
  // Kafka's Java client refuses blocks that refer to the one before.
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  preferences.frameInfo.contentSize = in.size();
  preferences.compressionLevel = level;
  const size_t start = out.size();
  out.resize(start + LZ4F_compressFrameBound(in.size(), &preferences));
  const size_t size = LZ4F_compressFrame(out.data() + start, out.size() - start, in.data(),
                                         in.size(), &preferences);
  if (LZ4F_isError(size) != 0) {
    fail(ErrorKind::kInternal, "compressing {} bytes with lz4: {}", in.size(),
         LZ4F_getErrorName(size));
  }
  out.resize(start + size);
}

void compress_zstd(std::string_view in, std::string& out, int level) {
  const size_t start = out.size();
  out.resize(start + ZSTD_compressBound(in.size()));
  const size_t size =
      ZSTD_compressCCtx(thread_zstd_compression(), out.data() + start, out.size() - start,
                        in.data(), in.size(), level == kDefaultLevel ? ZSTD_CLEVEL_DEFAULT : level);
  if (ZSTD_isError(size) != 0) {
    fail(ErrorKind::kInternal, "compressing {} bytes with zstd: {}", in.size(),
         ZSTD_getErrorName(size));
  }
  out.resize(start + size);
}

// zlib counts in 32 bits: longer input is handed over in pieces.
constexpr size_t kGzipPieceBytes = 1u << 30;

void compress_gzip(std::string_view in, std::string& out, int level) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;  // 16: with gzip's header and checksum
  if (deflateInit2(&stream, level == kDefaultLevel ? 6 : level, Z_DEFLATED, kGzipWindow, 8,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    fail(ErrorKind::kUnavailable, "making a gzip compressor: out of memory");
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, deflateEnd);
  int status = Z_OK;
  do {
    if (stream.avail_in == 0 && !in.empty()) {
      const std::string_view piece = in.substr(0, kGzipPieceBytes);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
      stream.avail_in = static_cast<uInt>(piece.size());
      in.remove_prefix(piece.size());
    }
    char produced[64 * 1024];
    stream.next_out = reinterpret_cast<Bytef*>(produced);
    stream.avail_out = sizeof produced;
    status = deflate(&stream, in.empty() ? Z_FINISH : Z_NO_FLUSH);
    out.append(produced, sizeof produced - stream.avail_out);
  } while (status == Z_OK || status == Z_BUF_ERROR);
  if (status != Z_STREAM_END) fail(ErrorKind::kInternal, "compressing with gzip: zlib {}", status);
}

// A buffer that grows by doubling up to a limit.
class GrowingBuffer {
 public:
  GrowingBuffer(size_t capacity, size_t max_bytes)
      : capacity_(std::min(capacity, max_bytes)),
        max_bytes_(max_bytes),
        data_(BufferPool::instance().take(capacity_)) {}

  char* free_space() { return data_.get() + size_; }
  size_t free_bytes() const { return capacity_ - size_; }
  void add(size_t bytes) { size_ += bytes; }

  // False when the limit is reached.
  bool grow() {
    if (capacity_ == max_bytes_) return false;
    const size_t doubled = std::max<size_t>(capacity_ * 2, 4096);
    capacity_ = std::min(doubled, max_bytes_);
    std::shared_ptr<char[]> larger = BufferPool::instance().take(capacity_);
    std::copy_n(data_.get(), size_, larger.get());
    data_ = std::move(larger);
    return true;
  }

  Buffer take() && { return {std::move(data_), size_}; }

 private:
  size_t capacity_;
  size_t max_bytes_;
  size_t size_ = 0;
  std::shared_ptr<char[]> data_;
};

[[noreturn]] void fail_too_large(Codec codec, size_t max_bytes) {
  fail(ErrorKind::kInvalid,
       "decompressing {}: the data is larger than the limit of {} bytes; send smaller pieces",
       name_of(codec), max_bytes);
}

// What the frame says its content is, or a guess. A lie costs at most the limit.
size_t expected_size(Codec codec, std::string_view in) {
  size_t stated = 0;
  if (codec == Codec::kLz4) {
    LZ4F_frameInfo_t info{};
    size_t consumed = in.size();
    const size_t status =
        LZ4F_getFrameInfo(thread_lz4_decompression(), &info, in.data(), &consumed);
    // One block more than the content: lz4 then decodes the last block in place as well.
    if (LZ4F_isError(status) == 0)
      stated = info.contentSize == 0 ? 0 : info.contentSize + (1 << 18);
  } else if (codec == Codec::kZstd) {
    const unsigned long long size = ZSTD_getFrameContentSize(in.data(), in.size());
    if (size != ZSTD_CONTENTSIZE_UNKNOWN && size != ZSTD_CONTENTSIZE_ERROR) stated = size;
  }
  // No format reaches a ratio of 2^16 in honest data; more is left to growth.
  return stated != 0 && stated / 65536 <= in.size() ? stated : in.size() * 4;
}

Buffer decompress_by_stream(Codec codec, std::string_view in, size_t max_bytes) {
  const auto stream = make_decompressor(codec);
  GrowingBuffer buffer(expected_size(codec, in), max_bytes);
  stream->feed(in);
  for (;;) {
    if (buffer.free_bytes() == 0 && !buffer.grow()) {
      char one_more = 0;
      if (stream->read(&one_more, 1) > 0) fail_too_large(codec, max_bytes);
      break;
    }
    const size_t size = stream->read(buffer.free_space(), buffer.free_bytes());
    if (size == 0) break;
    buffer.add(size);
  }
  stream->finish();
  return std::move(buffer).take();
}

// The common case, one frame of known size, without a stream's bookkeeping. An empty result: take
// the general way, which also finds the words for what is wrong.
Buffer decompress_single_frame(Codec codec, std::string_view in, size_t max_bytes) {
  const size_t expected = expected_size(codec, in);
  if (expected > max_bytes) return {};
  std::shared_ptr<char[]> data = BufferPool::instance().take(expected);
  if (codec == Codec::kZstd) {
    const size_t size = ZSTD_decompressDCtx(thread_zstd_decompression(), data.get(), expected,
                                            in.data(), in.size());
    if (ZSTD_isError(size) != 0) return {};
    return {std::move(data), size};
  }
  size_t produced = expected;
  size_t consumed = in.size();
  const LZ4F_decompressOptions_t options{1, 0, 0, 0};  // the output buffer does not move
  const size_t status = LZ4F_decompress(thread_lz4_decompression(), data.get(), &produced,
                                        in.data(), &consumed, &options);
  if (status != 0 || consumed != in.size()) return {};
  return {std::move(data), produced};
}

}  // namespace

std::string_view name_of(Codec codec) {
  switch (codec) {
    case Codec::kGzip:
      return "gzip";
    case Codec::kLz4:
      return "lz4";
    case Codec::kZstd:
      return "zstd";
    case Codec::kNone:
      break;
  }
  return "none";
}

void compress(Codec codec, std::string_view in, std::string& out, int level) {
  switch (codec) {
    case Codec::kNone:
      out.append(in);
      return;
    case Codec::kGzip:
      return compress_gzip(in, out, level);
    case Codec::kLz4:
      return compress_lz4(in, out, level);
    case Codec::kZstd:
      return compress_zstd(in, out, level);
  }
}

std::string compress(Codec codec, std::string_view in, int level) {
  std::string out;
  compress(codec, in, out, level);
  return out;
}

Buffer decompress(Codec codec, std::string_view in, size_t max_bytes) {
  if (codec == Codec::kLz4 || codec == Codec::kZstd) {
    Buffer whole = decompress_single_frame(codec, in, max_bytes);
    if (whole.data != nullptr) return whole;
  }
  return decompress_by_stream(codec, in, max_bytes);
}

}  // namespace headrace::codec
