#include "sources/files/stream_reader.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "sources/record_fields.h"

namespace headrace::sources {
namespace {

constexpr size_t kReadBytes = 1024 * 1024;

}  // namespace

StreamReader::StreamReader(std::unique_ptr<ByteStream> stream, std::unique_ptr<Splitter> splitter,
                           StreamReaderOptions options)
    : stream_(std::move(stream)),
      splitter_(std::move(splitter)),
      options_(std::move(options)),
      begin_position_(stream_->position()) {}

bool StreamReader::read(std::vector<FileRecord>& into) {
  into.clear();
  while (into.empty() && !at_end_) {
    at_end_ = !fill();
    cut(at_end_, into);
  }
  return !into.empty();
}

bool StreamReader::fill() {
  const size_t kept = end_ - begin_;
  if (begin_ > 0) std::memmove(buffer_.data(), buffer_.data() + begin_, kept);
  begin_ = 0;
  end_ = kept;
  // A record longer than a block doubles the buffer each time, so it is moved a few times at most.
  const size_t wanted = kept + std::max(kReadBytes, kept);
  if (buffer_.size() < wanted + kRecordPadding) buffer_.resize(wanted + kRecordPadding);
  const size_t got = stream_->read(buffer_.data() + end_, wanted - end_);
  end_ += got;
  return got > 0;
}

void StreamReader::cut(bool at_end, std::vector<FileRecord>& into) {
  while (true) {
    std::optional<Piece> piece;
    try {
      piece = splitter_->next(rest(), at_end);
    } catch (const Error& error) {
      throw error.with_context(
          format("splitting {} into records from byte {} on", options_.path, begin_position_));
    }
    if (!piece) break;
    const size_t size = piece->end - piece->begin;
    if (giving_up_record_) {
      giving_up_record_ = false;
    } else if (size > options_.max_record_bytes) {
      refuse_oversize(begin_position_ + piece->begin);
    } else if (!piece->empty) {
      into.push_back({rest().substr(piece->begin, size), begin_position_ + piece->next});
    }
    begin_ += piece->next;
    begin_position_ += piece->next;
  }
  const size_t pending = end_ - begin_;
  if (at_end || (pending <= options_.max_record_bytes + 2 && !giving_up_record_)) return;
  if (!giving_up_record_) refuse_oversize(begin_position_);
  giving_up_record_ = true;
  splitter_->drop(pending);
  begin_ = end_;
  begin_position_ += pending;
}

void StreamReader::refuse_oversize(uint64_t position) {
  if (options_.skip_oversize) {
    options_.skip_oversize(position);
    return;
  }
  fail(ErrorKind::kInvalid,
       "reading {}: the record at byte {} is longer than max_record_bytes ({}); raise it, or set "
       "on_oversize: skip to leave such records out",
       options_.path, position, options_.max_record_bytes);
}

}  // namespace headrace::sources
