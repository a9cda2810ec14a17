#pragma once

// What is wrong with a project's files. Checking goes on after a problem, so that one run tells
// all of them; each names file, line, column and the path of the field, and what to do.
//
// Thread use: one thread at a time.

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/json.h"

namespace headrace::config {

class Node;

enum class Severity { kError, kWarning };

struct Problem {
  Severity severity = Severity::kError;
  std::string file;
  std::string path;  // nodes.silver.partition_by[0]; empty for the file as a whole
  int line = 0;      // from 1; 0: not of one line
  int column = 0;    // from 1
  std::string message;
  std::string suggestion;  // what to do, "did you mean 'table'?"; may be empty

  // jobs/orders.yaml:12:5: nodes.silver.tabel: unknown field; did you mean 'table'?
  std::string to_text() const;
  bool operator==(const Problem&) const = default;
};

class Problems {
 public:
  void add(Problem problem) { problems_.push_back(std::move(problem)); }
  // At the place of a node.
  void add(const Node& at, std::string message, std::string suggestion = "");
  // At the key of a node in its map: about the field itself rather than its value.
  void add_at_key(const Node& at, std::string message, std::string suggestion = "");
  void warn(const Node& at, std::string message, std::string suggestion = "");
  // About a whole file.
  void add(std::string file, std::string message, std::string suggestion = "");

  bool empty() const { return problems_.empty(); }
  bool has_errors() const;
  size_t error_count() const;
  const std::vector<Problem>& all() const { return problems_; }

  // By file, line and column; those found at one place keep their order.
  void sort();
  // One line each.
  std::string to_text() const;
  Json to_json() const;
  // Throws Error invalid with `what` and the text of all of them when there are errors.
  void throw_if_errors(std::string_view what) const;

 private:
  std::vector<Problem> problems_;
};

}  // namespace headrace::config
