#pragma once

// How the columns of a parse node grow with what its records bring: new fields, new members of
// structs, and what becomes of a field whose values are not of the type that it has.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "jobs/parse/found_type.h"
#include "jobs/parse/record_parser.h"

namespace headrace::jobs::parse {

struct Inference {
  OnConflict on_conflict = OnConflict::kSplit;
  std::set<std::string> ignore = {};  // members of a record that are not taken
  int64_t max_columns = 1000;         // members of structs counted
};

// Makes room in `fields` for values like these, members of records. Fields that are not inferred
// stay as they are. False: there was room already, or there can be none (more than max_columns).
bool grow(std::vector<ParseField>& fields, const FoundType& found, const Inference& inference);

}  // namespace headrace::jobs::parse
