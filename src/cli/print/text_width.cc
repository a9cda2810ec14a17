#include "cli/print/text_width.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "base/format.h"

namespace headrace::cli {
namespace {

struct Range {
  char32_t first, last;
};

// Marks that take no column of their own (Unicode categories Mn, Me and Cf, the ranges in use).
constexpr Range kZeroWidth[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD},  {0x0610, 0x061A}, {0x064B, 0x065F},
    {0x06D6, 0x06DC}, {0x093A, 0x093A}, {0x093C, 0x093C},  {0x0941, 0x0948}, {0x094D, 0x094D},
    {0x0E31, 0x0E31}, {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E},  {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
    {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064},  {0x20D0, 0x20F0}, {0xFE00, 0xFE0F},
    {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF}};

// East Asian Width W and F (Unicode TR 11), the ranges in use.
constexpr Range kWide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},
    {0x25FD, 0x25FE},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26AA, 0x26AB},
    {0x26BD, 0x26BE},   {0x26C4, 0x26C5},   {0x26D4, 0x26D4},   {0x2705, 0x2705},
    {0x270A, 0x270B},   {0x2728, 0x2728},   {0x274C, 0x274C},   {0x2753, 0x2755},
    {0x2757, 0x2757},   {0x2795, 0x2797},   {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},
    {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x16FE0, 0x18CFF},
    {0x1B000, 0x1B2FF}, {0x1F18E, 0x1F18E}, {0x1F191, 0x1F19A}, {0x1F200, 0x1F320},
    {0x1F32D, 0x1F335}, {0x1F337, 0x1F37C}, {0x1F37E, 0x1F393}, {0x1F3A0, 0x1F3CA},
    {0x1F3E0, 0x1F3F0}, {0x1F3F8, 0x1F43E}, {0x1F440, 0x1F440}, {0x1F442, 0x1F4FC},
    {0x1F4FF, 0x1F53D}, {0x1F550, 0x1F567}, {0x1F5FB, 0x1F64F}, {0x1F680, 0x1F6C5},
    {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD}};

template <size_t N>
bool is_in(const Range (&ranges)[N], char32_t code_point) {
  const auto after =
      std::upper_bound(std::begin(ranges), std::end(ranges), code_point,
                       [](char32_t value, const Range& range) { return value < range.first; });
  return after != std::begin(ranges) && code_point <= std::prev(after)->last;
}

int sequence_length(uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

bool is_overlong_or_surrogate(char32_t code_point, int length) {
  return (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000) ||
         code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF);
}

}  // namespace

char32_t take_code_point(std::string_view& text) {
  constexpr char32_t kReplacement = 0xFFFD;
  const auto lead = static_cast<uint8_t>(text.front());
  const int length = sequence_length(lead);
  if (length == 1) {
    text.remove_prefix(1);
    return lead;
  }
  char32_t code_point = length == 0 ? 0 : static_cast<char32_t>(lead & (0x7F >> length));
  bool valid = length != 0 && text.size() >= static_cast<size_t>(length);
  for (int i = 1; valid && i < length; ++i) {
    const auto byte = static_cast<uint8_t>(text[static_cast<size_t>(i)]);
    valid = (byte & 0xC0) == 0x80;
    code_point = (code_point << 6) | (byte & 0x3F);
  }
  if (!valid || is_overlong_or_surrogate(code_point, length)) {
    text.remove_prefix(1);
    return kReplacement;
  }
  text.remove_prefix(static_cast<size_t>(length));
  return code_point;
}

int width_of(char32_t code_point) {
  if (code_point < 0x300) return 1;
  if (is_in(kZeroWidth, code_point)) return 0;
  return is_in(kWide, code_point) ? 2 : 1;
}

int width_of(std::string_view text) {
  int width = 0;
  while (!text.empty()) width += width_of(take_code_point(text));
  return width;
}

std::string cut_to_width(std::string_view text, int width) {
  if (width <= 0) return "";
  const std::string_view whole = text;
  int used = 0;
  size_t fits = 0;  // bytes that leave one column for the ellipsis
  while (!text.empty()) {
    used += width_of(take_code_point(text));
    if (used <= width - 1) fits = whole.size() - text.size();
    if (used > width) return std::string(whole.substr(0, fits)) + "…";
  }
  return std::string(whole);
}

std::string visible_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::string_view before = text;
    const char32_t code_point = take_code_point(text);
    const std::string_view bytes = before.substr(0, before.size() - text.size());
    if (code_point == '\n') {
      out += "\\n";
    } else if (code_point == '\t') {
      out += "\\t";
    } else if (code_point == '\r') {
      out += "\\r";
    } else if (code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0)) {
      out += format("\\x{:02x}", static_cast<uint32_t>(code_point));
    } else if (code_point == 0xFFFD) {
      out += "\uFFFD";
    } else {
      out += bytes;
    }
  }
  return out;
}

}  // namespace headrace::cli
