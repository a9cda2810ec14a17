#include "project/names.h"

#include <string_view>

#include "base/format.h"

namespace headrace::project {

namespace {

constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kWord =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
constexpr std::string_view kDashed =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
constexpr std::string_view kDotted =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
constexpr size_t kLongestName = 100;
constexpr size_t kLongestTopicName = 249;

bool consists_of(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

bool is_identifier(std::string_view text, std::string_view characters) {
  return !text.empty() && text.size() <= kLongestName && consists_of(text.substr(0, 1), kLetters) &&
         consists_of(text, characters);
}

}  // namespace

std::string check_name(const std::string& name) {
  if (is_identifier(name, kDashed)) return "";
  return format(
      "'{}' cannot be a name: a letter comes first, then letters, digits, _ and -, {} at "
      "most",
      name.substr(0, kLongestName), kLongestName);
}

std::string check_topic_name(const std::string& name) {
  const bool fits = !name.empty() && name.size() <= kLongestTopicName &&
                    consists_of(name, kDotted) && name != "." && name != "..";
  if (fits) return "";
  return format("'{}' cannot name a topic: 1 to {} letters, digits, dots, _ and -",
                name.substr(0, kLongestTopicName), kLongestTopicName);
}

std::string check_table_name(const std::string& name) {
  const size_t dot = name.find('.');
  const bool fits = dot != std::string::npos && is_identifier(name.substr(0, dot), kWord) &&
                    is_identifier(name.substr(dot + 1), kWord);
  if (fits) return "";
  return format(
      "'{}' cannot name a table: it is written database.table, as silver.orders, of "
      "letters, digits and _",
      name.substr(0, 2 * kLongestName));
}

}  // namespace headrace::project
