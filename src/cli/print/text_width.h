#pragma once

// How wide a text stands on a terminal, and how to cut it: columns, not bytes or code points.

#include <string>
#include <string_view>

namespace headrace::cli {

// Takes one code point off the front; U+FFFD for bytes that are not UTF-8 (one byte is taken).
char32_t take_code_point(std::string_view& text);
// 0 for combining marks, 2 for East Asian wide characters and emoji, else 1.
int width_of(char32_t code_point);
int width_of(std::string_view text);
// At most `width` columns; where something is cut, the last one is '…'.
std::string cut_to_width(std::string_view text, int width);
// Control characters become \n, \t, \x1b …, so that data can neither break the layout nor drive the
// terminal. Bytes that are not UTF-8 become U+FFFD.
std::string visible_text(std::string_view text);

}  // namespace headrace::cli
