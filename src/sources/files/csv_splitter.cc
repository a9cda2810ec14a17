#include "sources/files/splitter.h"

namespace headrace::sources {
namespace {

class CsvSplitter final : public Splitter {
 public:
  CsvSplitter(char delimiter, char quote, bool last_line_needs_newline)
      : delimiter_(delimiter), quote_(quote), last_line_needs_newline_(last_line_needs_newline) {}

  std::optional<Piece> next(std::string_view bytes, bool at_end) override {
    for (; scanned_ < bytes.size(); ++scanned_) {
      const char c = bytes[scanned_];
      if (in_quotes_) {
        // A doubled quote leaves and enters again, which comes to the same.
        if (c == quote_) in_quotes_ = false;
      } else if (c == quote_ && (at_field_start_ || after_quoted_)) {
        in_quotes_ = true;
        after_quoted_ = true;
        at_field_start_ = false;
      } else if (c == '\n') {
        return take(bytes, scanned_, scanned_ + 1);
      } else {
        at_field_start_ = c == delimiter_;
        if (at_field_start_ || c != quote_) after_quoted_ = false;
      }
    }
    if (!at_end || bytes.empty() || last_line_needs_newline_) return std::nullopt;
    return take(bytes, bytes.size(), bytes.size());
  }

  void drop(size_t count) override { scanned_ -= count; }

 private:
  Piece take(std::string_view bytes, size_t end, size_t next) {
    scanned_ = 0;
    in_quotes_ = after_quoted_ = false;
    at_field_start_ = true;
    if (end > 0 && bytes[end - 1] == '\r') --end;
    return {0, end, next, end == 0};
  }

  const char delimiter_;
  const char quote_;
  const bool last_line_needs_newline_;
  size_t scanned_ = 0;
  bool in_quotes_ = false;
  bool at_field_start_ = true;
  bool after_quoted_ = false;  // just behind a closing quote: another one is a doubled quote
};

}  // namespace

std::unique_ptr<Splitter> make_csv_splitter(char delimiter, char quote,
                                            bool last_line_needs_newline) {
  return std::make_unique<CsvSplitter>(delimiter, quote, last_line_needs_newline);
}

}  // namespace headrace::sources
