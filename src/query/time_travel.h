#pragma once

// Tables as they were: FROM silver.t AT (VERSION => 123), AT (VERSION => 'a tag or branch'),
// AT (TIMESTAMP => now() - INTERVAL 1 DAY).
//
// The engine's grammar has the clause, but not for the views that our tables are to it. So where
// its parse tree says that such a table stands, the text is changed: the name becomes that of a
// temporary view of the connection over the snapshot's files, with the columns and the deletes of
// that time, and the clause goes. The rest of the text stays byte for byte what it was. What the
// clause is given is computed first, as the engine computes it: an expression, or a subquery.
//
// Committed rows only: what is hot belongs to no snapshot.
//
// Thread use: as the Connection's. Errors: not_found for a table, version or time that is not
// there, with what is; invalid for clauses that cannot be understood.

#include <string>
#include <vector>

#include "engine/database.h"
#include "lake/scan_files.h"
#include "lake/table.h"
#include "query/statement.h"

namespace headrace::query {

class TimeTravel {
 public:
  // Of one query; to be kept until the engine has planned it, for it finds files and deleted rows
  // by what this holds.
  TimeTravel(engine::Connection& connection, lake::Catalog& catalog);

  // The text for the engine: `sql` itself where no table has the clause.
  std::string rewrite(const std::string& sql, const Statement& statement);

 private:
  struct Reference;
  struct Place;
  static void collect(const Json& tree, std::vector<Reference>& references);
  static Place place_of(const std::string& sql, size_t begin, const Reference& reference);
  std::string value_of(const std::string& expression, const char* before, const char* after);
  // The names of the view, as those of a table.
  std::vector<std::string> make_view(const Reference& reference, const std::string& expression);
  void check_same(const std::string& sql, const std::vector<Reference>& expected);

  engine::Connection& connection_;
  lake::Catalog& catalog_;
  std::vector<lake::Scan> scans_;
};

}  // namespace headrace::query
