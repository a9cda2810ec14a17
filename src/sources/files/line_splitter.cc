#include <cstring>

#include "sources/files/splitter.h"

namespace headrace::sources {
namespace {

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

class LineSplitter final : public Splitter {
 public:
  LineSplitter(bool skip_blank, bool last_line_needs_newline)
      : skip_blank_(skip_blank), last_line_needs_newline_(last_line_needs_newline) {}

  std::optional<Piece> next(std::string_view bytes, bool at_end) override {
    const void* found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
    if (found == nullptr) {
      scanned_ = bytes.size();
      if (!at_end || bytes.empty() || last_line_needs_newline_) return std::nullopt;
      return take(bytes, bytes.size(), bytes.size());
    }
    const auto end = static_cast<size_t>(static_cast<const char*>(found) - bytes.data());
    return take(bytes, end, end + 1);
  }

  void drop(size_t count) override { scanned_ -= count; }

 private:
  Piece take(std::string_view bytes, size_t end, size_t next) {
    scanned_ = 0;
    if (end > 0 && bytes[end - 1] == '\r') --end;
    return {0, end, next, skip_blank_ && is_blank(bytes.substr(0, end))};
  }

  const bool skip_blank_;
  const bool last_line_needs_newline_;
  size_t scanned_ = 0;
};

}  // namespace

std::unique_ptr<Splitter> make_line_splitter(bool skip_blank, bool last_line_needs_newline) {
  return std::make_unique<LineSplitter>(skip_blank, last_line_needs_newline);
}

}  // namespace headrace::sources
