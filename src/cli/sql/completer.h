#pragma once

// What may follow in a line of SQL: keywords, functions, tables, the columns of the tables named,
// dot commands. Knows the tables from information_schema, read on the first Tab and again when it
// is old.
//
// Thread use: one thread. Never throws: without a server there are keywords only.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::cli {

// Rows of schema, table, column.
using CatalogRows = std::vector<std::vector<std::string>>;

class Completer {
 public:
  explicit Completer(std::function<CatalogRows()> load) : load_(std::move(load)) {}

  // Candidates for the word that ends at the cursor; `line` is the statement up to there, the word
  // included. Sorted, each once.
  std::vector<std::string> complete(std::string_view line, std::string_view word);
  // The tables may have changed: read them again for the next completion.
  void forget() { is_loaded_ = false; }

 private:
  void load();

  std::function<CatalogRows()> load_;
  bool is_loaded_ = false;
  std::map<std::string, std::vector<std::string>> columns_;  // of database.table
};

}  // namespace headrace::cli
