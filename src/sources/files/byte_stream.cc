#include "sources/files/byte_stream.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "codec/decompressor.h"

namespace headrace::sources {
namespace {

constexpr size_t kBlockBytes = 256 * 1024;

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(ReadFile& file) : file_(file) {}

  size_t read(char* into, size_t size) override {
    const size_t got = file_.read_at(position_, into, size);
    position_ += got;
    return got;
  }
  bool skip_to(uint64_t position) override {
    if (position > file_.size_bytes()) return false;
    position_ = position;
    return true;
  }
  uint64_t position() const override { return position_; }

 private:
  ReadFile& file_;
  uint64_t position_ = 0;
};

class CompressedStream final : public ByteStream {
 public:
  CompressedStream(ReadFile& file, std::string path, codec::Codec codec)
      : file_(file),
        path_(std::move(path)),
        decompressor_(codec::make_decompressor(codec)),
        block_(kBlockBytes) {}

  size_t read(char* into, size_t size) override {
    try {
      while (!finished_) {
        if (const size_t got = fed_ ? decompressor_->read(into, size) : 0) {
          position_ += got;
          return got;
        }
        feed();
      }
    } catch (const Error& error) {
      throw error.with_context("reading " + path_);
    }
    return 0;
  }

  // There is no way into the middle of a compressed stream but through what is before it.
  bool skip_to(uint64_t position) override {
    std::vector<char> dropped(kBlockBytes);
    while (position_ < position) {
      const uint64_t left = position - position_;
      if (read(dropped.data(), std::min<uint64_t>(left, dropped.size())) == 0) return false;
    }
    return true;
  }
  uint64_t position() const override { return position_; }

 private:
  void feed() {
    const size_t got = file_.read_at(file_position_, block_.data(), block_.size());
    if (got == 0) {
      finished_ = true;
      if (file_position_ > 0) decompressor_->finish();
      return;
    }
    file_position_ += got;
    decompressor_->feed({block_.data(), got});
    fed_ = true;
  }

  ReadFile& file_;
  const std::string path_;
  std::unique_ptr<codec::Decompressor> decompressor_;
  std::vector<char> block_;
  uint64_t file_position_ = 0;
  uint64_t position_ = 0;
  bool fed_ = false;
  bool finished_ = false;
};

}  // namespace

FileCompression compression_of(const std::string& path, FileCompression compression) {
  if (compression != FileCompression::kAuto) return compression;
  if (path.ends_with(".gz")) return FileCompression::kGzip;
  if (path.ends_with(".zst")) return FileCompression::kZstd;
  return FileCompression::kNone;
}

std::unique_ptr<ByteStream> open_byte_stream(ReadFile& file, const std::string& path,
                                             FileCompression compression) {
  switch (compression_of(path, compression)) {
    case FileCompression::kGzip:
      return std::make_unique<CompressedStream>(file, path, codec::Codec::kGzip);
    case FileCompression::kZstd:
      return std::make_unique<CompressedStream>(file, path, codec::Codec::kZstd);
    default:
      return std::make_unique<PlainStream>(file);
  }
}

}  // namespace headrace::sources
