#include "config/problem.h"

#include <algorithm>
#include <tuple>

#include "config/node.h"

namespace headrace::config {

namespace {

Problem problem_at(const Node& at, Severity severity, std::string message, std::string suggestion) {
  return {severity,
          at.file(),
          at.path(),
          at.line(),
          at.column(),
          std::move(message),
          std::move(suggestion)};
}

}  // namespace

std::string Problem::to_text() const {
  std::string text = file;
  if (line > 0) text += format(":{}:{}", line, column);
  if (!text.empty()) text += ": ";
  if (severity == Severity::kWarning) text += "warning: ";
  if (!path.empty()) text += path + ": ";
  text += message;
  if (!suggestion.empty()) text += "; " + suggestion;
  return text;
}

void Problems::add(const Node& at, std::string message, std::string suggestion) {
  add(problem_at(at, Severity::kError, std::move(message), std::move(suggestion)));
}

void Problems::add_at_key(const Node& at, std::string message, std::string suggestion) {
  Problem problem = problem_at(at, Severity::kError, std::move(message), std::move(suggestion));
  problem.line = at.key_line();
  problem.column = at.key_column();
  add(std::move(problem));
}

void Problems::warn(const Node& at, std::string message, std::string suggestion) {
  add(problem_at(at, Severity::kWarning, std::move(message), std::move(suggestion)));
}

void Problems::add(std::string file, std::string message, std::string suggestion) {
  add(Problem{Severity::kError, std::move(file), "", 0, 0, std::move(message),
              std::move(suggestion)});
}

bool Problems::has_errors() const { return error_count() > 0; }

size_t Problems::error_count() const {
  return static_cast<size_t>(
      std::count_if(problems_.begin(), problems_.end(),
                    [](const Problem& p) { return p.severity == Severity::kError; }));
}

void Problems::sort() {
  std::stable_sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.file, a.line, a.column) < std::tie(b.file, b.line, b.column);
  });
}

std::string Problems::to_text() const {
  std::string text;
  for (const Problem& problem : problems_) text += problem.to_text() + "\n";
  return text;
}

Json Problems::to_json() const {
  JsonArray list;
  for (const Problem& problem : problems_) {
    list.push_back(JsonObject{
        {"severity", problem.severity == Severity::kError ? "error" : "warning"},
        {"file", problem.file},
        {"path", problem.path},
        {"line", problem.line},
        {"column", problem.column},
        {"message", problem.message},
        {"suggestion", problem.suggestion},
    });
  }
  return list;
}

void Problems::throw_if_errors(std::string_view what) const {
  if (!has_errors()) return;
  std::string text = to_text();
  text.pop_back();
  fail(ErrorKind::kInvalid, "{}: {} problem{}\n{}", what, error_count(),
       error_count() == 1 ? "" : "s", text);
}

}  // namespace headrace::config
