#pragma once

// Cuts an input into batches of lines. An input that pauses (a pipe from tail -f) gives the batch
// it has, so that records do not wait for company.
//
// Errors: unavailable when reading fails, corrupt for a damaged .gz or .zst. Thread use: one.

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "codec/decompressor.h"

namespace headrace::cli {

struct Line {
  std::string text;    // without its line break
  int64_t number = 0;  // in the input, from 1
};

struct BatchLimits {
  int64_t records = 1000;
  int64_t bytes = 1024 * 1024;
  int linger_ms = 100;
};

class RecordReader {
 public:
  // Reads the descriptor, which stays open; `codec` is what the bytes are compressed with.
  RecordReader(int descriptor, std::string name, codec::Codec codec = codec::Codec::kNone);

  // The next batch; blank lines are passed over. Empty at the end of the input, or when stopped.
  std::vector<Line> next_batch(const BatchLimits& limits, const std::stop_token& stop);
  // Whether a batch may come yet.
  bool is_at_end() const { return is_at_end_ && pending_.size() == taken_; }

 private:
  std::optional<Line> take_line();
  // False when nothing came within the time (-1: for ever) or a signal arrived.
  bool fill(int wait_ms);

  int descriptor_;
  std::string name_;
  std::unique_ptr<codec::Decompressor> decompressor_;
  std::string pending_;
  size_t taken_ = 0;     // bytes of pending_ given out
  size_t searched_ = 0;  // bytes of pending_ known to hold no line break
  bool is_at_end_ = false;
  int64_t line_number_ = 0;
};

}  // namespace headrace::cli
