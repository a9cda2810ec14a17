#include "stream/segment.h"

#include <charconv>

#include "base/format.h"

namespace headrace::stream {
namespace {

constexpr size_t kDigits = 20;

}  // namespace

std::string segment_path(const std::string& directory, Offset base_offset,
                         std::string_view suffix) {
  return format("{}/{:0{}}{}", directory, base_offset, kDigits, suffix);
}

std::string manifest_copy_path(const std::string& directory) {
  return directory + "/remote.manifest";
}

std::optional<Offset> parse_segment_name(std::string_view name, std::string_view suffix) {
  if (name.size() != kDigits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  Offset base_offset = 0;
  const auto [end, failure] = std::from_chars(name.data(), name.data() + kDigits, base_offset);
  if (failure != std::errc() || end != name.data() + kDigits || base_offset < 0) {
    return std::nullopt;
  }
  return base_offset;
}

}  // namespace headrace::stream
