#include "codec/decompressor.h"

#include <algorithm>
#include <cstring>

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include "base/error.h"
#include "codec/contexts.h"

namespace headrace::codec {
namespace {

// What one call of a library used and gave.
struct Step {
  size_t consumed = 0;
  size_t produced = 0;
};

// The part all formats share: the input that is left, the limit, and whether a frame is open.
class FramedDecompressor : public Decompressor {
 public:
  FramedDecompressor(Codec codec, uint64_t max_output_bytes)
      : codec_(codec), max_output_bytes_(max_output_bytes) {}

  void feed(std::string_view chunk) override { input_ = chunk; }

  size_t read(char* into, size_t size) override {
    // A library that filled the buffer may hold more back although its input is used up.
    if (size == 0 || (input_.empty() && !may_hold_output_)) return 0;
    for (;;) {
      const Step step = decompress(input_, into, std::min<size_t>(size, 1u << 30));
      input_.remove_prefix(step.consumed);
      read_bytes_ += step.consumed;
      may_hold_output_ = step.produced == size;
      if (step.produced > max_output_bytes_ - produced_bytes_) {
        fail(ErrorKind::kInvalid,
             "decompressing {}: the data is larger than the limit of {} bytes; send smaller pieces",
             name_of(codec_), max_output_bytes_);
      }
      produced_bytes_ += step.produced;
      if (step.produced > 0) return step.produced;
      if (input_.empty()) return 0;
      if (step.consumed == 0) fail_corrupt("no progress is possible");
    }
  }

  void finish() override {
    if (inside_frame_ || !input_.empty()) fail_corrupt("it is cut short");
  }

 protected:
  virtual Step decompress(std::string_view in, char* into, size_t size) = 0;

  [[noreturn]] void fail_corrupt(std::string_view why) const {
    fail(ErrorKind::kCorrupt, "decompressing {} at byte {} of the compressed data: {}",
         name_of(codec_), read_bytes_, why);
  }

  bool inside_frame_ = false;

 private:
  Codec codec_;
  uint64_t max_output_bytes_;
  bool may_hold_output_ = false;
  uint64_t read_bytes_ = 0;
  uint64_t produced_bytes_ = 0;
  std::string_view input_;
};

class Passthrough final : public FramedDecompressor {
 public:
  explicit Passthrough(uint64_t max_output_bytes)
      : FramedDecompressor(Codec::kNone, max_output_bytes) {}

 protected:
  Step decompress(std::string_view in, char* into, size_t size) override {
    const size_t taken = std::min(in.size(), size);
    if (taken > 0) std::memcpy(into, in.data(), taken);
    return {taken, taken};
  }
};

class GzipDecompressor final : public FramedDecompressor {
 public:
  explicit GzipDecompressor(uint64_t max_output_bytes)
      : FramedDecompressor(Codec::kGzip, max_output_bytes) {
    constexpr int kGzipWindow = 15 + 16;  // 16: with gzip's header and checksum
    if (inflateInit2(&stream_, kGzipWindow) != Z_OK) {
      fail(ErrorKind::kUnavailable, "making a gzip decompressor: out of memory");
    }
  }
  ~GzipDecompressor() override { inflateEnd(&stream_); }

 protected:
  Step decompress(std::string_view in, char* into, size_t size) override {
    if (in.empty() && !inside_frame_) return {};
    const size_t taken = std::min<size_t>(in.size(), 1u << 30);  // zlib counts in 32 bits
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(taken);
    stream_.next_out = reinterpret_cast<Bytef*>(into);
    stream_.avail_out = static_cast<uInt>(size);
    inside_frame_ = true;
    const int status = inflate(&stream_, Z_NO_FLUSH);
    const Step step{taken - stream_.avail_in, size - stream_.avail_out};
    if (status == Z_STREAM_END) {
      inside_frame_ = false;
      inflateReset(&stream_);
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      fail_corrupt(stream_.msg == nullptr ? "not a gzip stream" : stream_.msg);
    }
    return step;
  }

 private:
  z_stream stream_{};
};

class ZstdDecompressor final : public FramedDecompressor {
 public:
  explicit ZstdDecompressor(uint64_t max_output_bytes)
      : FramedDecompressor(Codec::kZstd, max_output_bytes), context_(make_zstd_decompression()) {}

 protected:
  Step decompress(std::string_view in, char* into, size_t size) override {
    if (in.empty() && !inside_frame_) return {};
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{into, size, 0};
    const size_t status = ZSTD_decompressStream(context_.get(), &output, &input);
    if (ZSTD_isError(status) != 0) fail_corrupt(ZSTD_getErrorName(status));
    inside_frame_ = status != 0;
    return {input.pos, output.pos};
  }

 private:
  ZstdDecompression context_;
};

class Lz4Decompressor final : public FramedDecompressor {
 public:
  explicit Lz4Decompressor(uint64_t max_output_bytes)
      : FramedDecompressor(Codec::kLz4, max_output_bytes), context_(make_lz4_decompression()) {}

 protected:
  Step decompress(std::string_view in, char* into, size_t size) override {
    if (in.empty() && !inside_frame_) return {};
    size_t consumed = in.size();
    size_t produced = size;
    const size_t status =
        LZ4F_decompress(context_.get(), into, &produced, in.data(), &consumed, nullptr);
    if (LZ4F_isError(status) != 0) fail_corrupt(LZ4F_getErrorName(status));
    inside_frame_ = status != 0;
    return {consumed, produced};
  }

 private:
  Lz4Decompression context_;
};

}  // namespace

std::unique_ptr<Decompressor> make_decompressor(Codec codec, uint64_t max_output_bytes) {
  switch (codec) {
    case Codec::kGzip:
      return std::make_unique<GzipDecompressor>(max_output_bytes);
    case Codec::kLz4:
      return std::make_unique<Lz4Decompressor>(max_output_bytes);
    case Codec::kZstd:
      return std::make_unique<ZstdDecompressor>(max_output_bytes);
    case Codec::kNone:
      break;
  }
  return std::make_unique<Passthrough>(max_output_bytes);
}

}  // namespace headrace::codec
