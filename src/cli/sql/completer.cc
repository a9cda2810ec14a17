#include "cli/sql/completer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "cli/sql/dot_command.h"

namespace headrace::cli {
namespace {

constexpr auto kKeywords = std::to_array<std::string_view>({"SELECT",
                                                            "FROM",
                                                            "WHERE",
                                                            "GROUP",
                                                            "BY",
                                                            "ORDER",
                                                            "LIMIT",
                                                            "OFFSET",
                                                            "HAVING",
                                                            "JOIN",
                                                            "LEFT",
                                                            "RIGHT",
                                                            "FULL",
                                                            "INNER",
                                                            "OUTER",
                                                            "CROSS",
                                                            "ON",
                                                            "USING",
                                                            "AS",
                                                            "AND",
                                                            "OR",
                                                            "NOT",
                                                            "IN",
                                                            "IS",
                                                            "NULL",
                                                            "LIKE",
                                                            "ILIKE",
                                                            "BETWEEN",
                                                            "CASE",
                                                            "WHEN",
                                                            "THEN",
                                                            "ELSE",
                                                            "END",
                                                            "DISTINCT",
                                                            "UNION",
                                                            "ALL",
                                                            "EXCEPT",
                                                            "INTERSECT",
                                                            "WITH",
                                                            "RECURSIVE",
                                                            "VALUES",
                                                            "DESC",
                                                            "ASC",
                                                            "NULLS",
                                                            "FIRST",
                                                            "LAST",
                                                            "OVER",
                                                            "PARTITION",
                                                            "WINDOW",
                                                            "QUALIFY",
                                                            "FILTER",
                                                            "DESCRIBE",
                                                            "SUMMARIZE",
                                                            "EXPLAIN",
                                                            "ANALYZE",
                                                            "SHOW",
                                                            "TABLES",
                                                            "INTERVAL",
                                                            "CAST",
                                                            "TRY_CAST",
                                                            "EXISTS",
                                                            "SAMPLE",
                                                            "PIVOT",
                                                            "UNPIVOT",
                                                            "EXCLUDE",
                                                            "REPLACE",
                                                            "LATERAL",
                                                            "ASOF",
                                                            "SEMI",
                                                            "ANTI",
                                                            "TRUE",
                                                            "FALSE",
                                                            "count(",
                                                            "sum(",
                                                            "avg(",
                                                            "min(",
                                                            "max(",
                                                            "coalesce(",
                                                            "date_trunc(",
                                                            "count_if(",
                                                            "quantile_cont(",
                                                            "strftime(",
                                                            "regexp_matches(",
                                                            "list(",
                                                            "unnest(",
                                                            "now()"});

bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return equal_ignoring_case(text.substr(0, start.size()), start);
}

bool is_name_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
}

std::set<std::string> words_of(std::string_view line) {
  std::set<std::string> words;
  std::string word;
  for (const char c : line) {
    if (is_name_char(c)) {
      word += c;
    } else if (!word.empty()) {
      words.insert(to_lower(word));
      word.clear();
    }
  }
  if (!word.empty()) words.insert(to_lower(word));
  return words;
}

// A keyword in the case in which the word was begun.
std::string in_case_of(std::string_view keyword, std::string_view word) {
  const bool is_lower =
      !word.empty() && std::islower(static_cast<unsigned char>(word.front())) != 0;
  return is_lower ? to_lower(keyword) : std::string(keyword);
}

}  // namespace

void Completer::load() {
  if (is_loaded_) return;
  is_loaded_ = true;
  try {
    columns_.clear();
    for (const std::vector<std::string>& row : load_()) {
      if (row.size() < 3) continue;
      columns_[row[0] == "main" ? row[1] : row[0] + "." + row[1]].push_back(row[2]);
    }
  } catch (const Error&) {
    is_loaded_ = false;  // perhaps it can be reached at the next Tab
  }
}

std::vector<std::string> Completer::complete(std::string_view line, std::string_view word) {
  std::set<std::string> found;
  const size_t begin = line.find_first_not_of(" \t\n");
  const bool is_dot_line = begin != std::string_view::npos && line[begin] == '.';
  if (is_dot_line && line.find(' ') == std::string_view::npos) {
    for (const std::string& name : dot_command_names()) {
      if (name.starts_with(word)) found.insert(name);
    }
    return {found.begin(), found.end()};
  }
  load();
  const std::set<std::string> words = words_of(line);
  for (const auto& [table, columns] : columns_) {
    const size_t dot = table.find('.');
    const std::string database = table.substr(0, dot == std::string::npos ? 0 : dot + 1);
    if (starts_with_ignoring_case(table, word)) {
      // The database first, its tables when it is there.
      found.insert(word.size() < database.size() ? database : table);
    }
    if (!words.contains(to_lower(table)) || word.empty()) continue;
    for (const std::string& column : columns) {
      if (starts_with_ignoring_case(column, word)) found.insert(column);
    }
  }
  if (!is_dot_line && !word.empty()) {
    for (const std::string_view keyword : kKeywords) {
      if (starts_with_ignoring_case(keyword, word)) found.insert(in_case_of(keyword, word));
    }
  }
  return {found.begin(), found.end()};
}

}  // namespace headrace::cli
