// Whatever the bytes and however they arrive, a splitter gives the same pieces, within the bytes,
// in order, and comes to an end.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/error.h"
#include "sources/files/splitter.h"

namespace headrace::sources {
namespace {

std::unique_ptr<Splitter> make(uint8_t kind) {
  switch (kind % 5) {
    case 0:
      return make_line_splitter(true, false);
    case 1:
      return make_line_splitter(false, true);
    case 2:
      return make_csv_splitter(',', '"', false);
    case 3:
      return make_json_splitter(false);
    default:
      return make_json_splitter(true);
  }
}

// Cuts `text`, of which `step` bytes more are shown each time.
std::vector<std::string> split(uint8_t kind, std::string_view text, size_t step) {
  std::vector<std::string> pieces;
  const std::unique_ptr<Splitter> splitter = make(kind);
  size_t begin = 0;
  size_t end = 0;
  try {
    while (true) {
      const std::string_view seen = text.substr(begin, end - begin);
      const std::optional<Piece> piece = splitter->next(seen, end == text.size());
      if (piece) {
        if (piece->begin > piece->end || piece->end > piece->next) std::abort();
        if (piece->next > seen.size()) std::abort();
        if (piece->next == 0 && !seen.empty()) std::abort();
        if (!piece->empty)
          pieces.emplace_back(seen.substr(piece->begin, piece->end - piece->begin));
        begin += piece->next;
      } else if (end == text.size()) {
        return pieces;
      } else {
        end = std::min(text.size(), end + step);
      }
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid) std::abort();
    pieces.emplace_back("broken");
  }
  return pieces;
}

}  // namespace
}  // namespace headrace::sources

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto whole = headrace::sources::split(data[0], text, text.size() + 1);
  const auto stepwise = headrace::sources::split(data[0], text, 1 + data[1] % 7);
  if (whole != stepwise) std::abort();
  return 0;
}
