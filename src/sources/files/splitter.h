#pragma once

// Finds where the records of a byte stream end. One for each kind of framing; each is a small state
// machine over bytes that arrive in pieces. Not thread-safe.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

namespace headrace::sources {

// Offsets relative to the bytes given.
struct Piece {
  size_t begin = 0;
  size_t end = 0;
  size_t next = 0;     // where the following record starts
  bool empty = false;  // only separators: nothing to hand on
};

class Splitter {
 public:
  virtual ~Splitter() = default;
  // Looks for the end of the first record of `bytes`. nullopt: more bytes are needed; the next call
  // then brings the same bytes and more behind them, and only those are looked at. With `at_end` no
  // more will come: what is there is the last record, if the framing allows that. Throws invalid
  // with the offset in `bytes` when the framing is broken.
  virtual std::optional<Piece> next(std::string_view bytes, bool at_end) = 0;
  // The caller dropped the first `count` bytes, all looked at already, of a record it gives up.
  virtual void drop(size_t count) = 0;
};

// Lines end with \n or \r\n. With `skip_blank` lines of white space are no records.
std::unique_ptr<Splitter> make_line_splitter(bool skip_blank, bool last_line_needs_newline);
// Rows as RFC 4180 has them: newlines within quotes belong to the field.
std::unique_ptr<Splitter> make_csv_splitter(char delimiter, char quote,
                                            bool last_line_needs_newline);
// Elements of arrays, or values one after the other: whichever the file starts with.
// `starts_inside_array`: the bytes start after an element of an array.
std::unique_ptr<Splitter> make_json_splitter(bool starts_inside_array);

}  // namespace headrace::sources
