#include "base/error.h"
#include "sources/files/splitter.h"

namespace headrace::sources {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Counts brackets outside of strings; whether what stands between them is right JSON is the job's
// to judge.
class JsonSplitter final : public Splitter {
 public:
  explicit JsonSplitter(bool starts_inside_array)
      : kind_(starts_inside_array ? Kind::kArrays : Kind::kUnknown),
        in_array_(starts_inside_array) {}

  std::optional<Piece> next(std::string_view bytes, bool at_end) override {
    while (scanned_ < bytes.size()) {
      if (!in_value_) {
        if (!begin_value(bytes)) continue;
      }
      if (end_value(bytes)) return take(scanned_);
    }
    if (!at_end) return std::nullopt;
    if (in_value_ && is_scalar_) return take(bytes.size());
    if (in_value_) fail_framing(bytes.size(), "the file ends inside a value");
    if (in_array_ && kind_ == Kind::kArrays && saw_bytes_) {
      fail_framing(bytes.size(), "the file ends inside an array");
    }
    if (bytes.empty()) return std::nullopt;
    scanned_ = 0;
    return Piece{0, 0, bytes.size(), true};
  }

  void drop(size_t count) override {
    scanned_ -= count;
    begin_ = begin_ > count ? begin_ - count : 0;
  }

 private:
  enum class Kind { kUnknown, kArrays, kValues };

  // Looks at one byte between values. True when it is the first of a value.
  bool begin_value(std::string_view bytes) {
    const char c = bytes[scanned_];
    saw_bytes_ = true;
    if (is_space(c)) {
      ++scanned_;
      return false;
    }
    if (kind_ == Kind::kUnknown) kind_ = c == '[' ? Kind::kArrays : Kind::kValues;
    if (kind_ == Kind::kArrays && !in_array_) {
      if (c != '[') fail_framing(scanned_, "expected '[' or the end of the file");
      in_array_ = true;
      ++scanned_;
      return false;
    }
    if (c == ',' || (c == ']' && kind_ == Kind::kArrays)) {
      if (c == ']') in_array_ = false;
      ++scanned_;
      return false;
    }
    if (c == ']' || c == '}' || c == ':') fail_framing(scanned_, "expected a value");
    begin_ = scanned_;
    in_value_ = true;
    is_scalar_ = c != '{' && c != '[' && c != '"';
    return true;
  }

  // Moves on inside a value. True when scanned_ is at its end.
  bool end_value(std::string_view bytes) {
    for (; scanned_ < bytes.size(); ++scanned_) {
      const char c = bytes[scanned_];
      if (in_string_) {
        if (escaped_) {
          escaped_ = false;
        } else if (c == '\\') {
          escaped_ = true;
        } else if (c == '"') {
          in_string_ = false;
          if (depth_ == 0) return ++scanned_, true;
        }
      } else if (is_scalar_) {
        if (is_space(c) || c == ',' || c == ']' || c == '}' || c == '{' || c == '[' || c == '"') {
          return true;
        }
      } else if (c == '"') {
        in_string_ = true;
      } else if (c == '{' || c == '[') {
        ++depth_;
      } else if (c == '}' || c == ']') {
        if (--depth_ == 0) return ++scanned_, true;
      }
    }
    return false;
  }

  Piece take(size_t end) {
    const Piece piece{begin_, end, end, false};
    scanned_ = begin_ = 0;
    depth_ = 0;
    in_value_ = in_string_ = escaped_ = false;
    return piece;
  }

  [[noreturn]] static void fail_framing(size_t offset, std::string_view why) {
    fail(ErrorKind::kInvalid, "{}, {} bytes further on", why, offset);
  }

  Kind kind_;
  bool in_array_;
  bool saw_bytes_ = false;
  bool in_value_ = false;
  bool is_scalar_ = false;
  bool in_string_ = false;
  bool escaped_ = false;
  int64_t depth_ = 0;
  size_t begin_ = 0;
  size_t scanned_ = 0;
};

}  // namespace

std::unique_ptr<Splitter> make_json_splitter(bool starts_inside_array) {
  return std::make_unique<JsonSplitter>(starts_inside_array);
}

}  // namespace headrace::sources
