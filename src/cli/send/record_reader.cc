#include "cli/send/record_reader.h"

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <unistd.h>

#include "base/error.h"

namespace headrace::cli {
namespace {

constexpr size_t kReadBytes = 256 * 1024;
constexpr int kPollMs = 200;  // how soon a stop request is noticed

}  // namespace

RecordReader::RecordReader(int descriptor, std::string name, codec::Codec codec)
    : descriptor_(descriptor),
      name_(std::move(name)),
      decompressor_(codec::make_decompressor(codec)) {}

std::vector<Line> RecordReader::next_batch(const BatchLimits& limits, const std::stop_token& stop) {
  std::vector<Line> batch;
  int64_t bytes = 0;
  while (!stop.stop_requested()) {
    if (std::optional<Line> line = take_line()) {
      if (line->text.find_first_not_of(" \t\r") == std::string::npos) continue;
      bytes += static_cast<int64_t>(line->text.size()) + 1;
      batch.push_back(std::move(*line));
      if (static_cast<int64_t>(batch.size()) >= limits.records || bytes >= limits.bytes) break;
    } else if (is_at_end_) {
      break;
    } else if (!fill(batch.empty() ? kPollMs : limits.linger_ms) && !batch.empty()) {
      break;
    }
  }
  return batch;
}

std::optional<Line> RecordReader::take_line() {
  const size_t newline = pending_.find('\n', std::max(taken_, searched_));
  size_t end = newline;
  if (newline == std::string::npos) {
    searched_ = pending_.size();
    if (!is_at_end_ || taken_ == pending_.size()) return std::nullopt;
    end = pending_.size();
  }
  Line line{pending_.substr(taken_, end - taken_), ++line_number_};
  if (!line.text.empty() && line.text.back() == '\r') line.text.pop_back();
  taken_ = newline == std::string::npos ? end : end + 1;
  return line;
}

bool RecordReader::fill(int wait_ms) {
  pollfd poll_entry{descriptor_, POLLIN, 0};
  const int ready = ::poll(&poll_entry, 1, wait_ms);
  if (ready == 0 || (ready < 0 && errno == EINTR)) return false;
  if (ready < 0) fail_errno(errno, "reading", name_);
  std::string chunk(kReadBytes, '\0');
  const ssize_t size = ::read(descriptor_, chunk.data(), chunk.size());
  if (size < 0) {
    if (errno == EINTR || errno == EAGAIN) return false;
    fail_errno(errno, "reading", name_);
  }
  pending_.erase(0, taken_);
  searched_ = searched_ > taken_ ? searched_ - taken_ : 0;
  taken_ = 0;
  try {
    if (size == 0) {
      is_at_end_ = true;
      decompressor_->finish();
      return true;
    }
    decompressor_->feed(std::string_view(chunk).substr(0, static_cast<size_t>(size)));
    std::string out(kReadBytes, '\0');
    while (const size_t got = decompressor_->read(out.data(), out.size())) {
      pending_.append(out, 0, got);
    }
  } catch (const Error& error) {
    throw error.with_context("reading " + name_);
  }
  return true;
}

}  // namespace headrace::cli
