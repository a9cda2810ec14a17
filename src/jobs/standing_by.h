#pragma once

// Targets that a commit has no rows for make no snapshot: those of the commit that do tell that
// these reach as far. So a job's dead-letter table has snapshots of dead letters, not one for each
// commit of the job.
//
// The note is kept in the summary of a snapshot, under kStandingByKey, as JSON:
//   {"commit": 17, "tables": {"dead_letters.clean": {"uuid": "…", "positions": "…"}}}
// `commit` counts the commits of the job; uuid and positions are those that the table had then. A
// table that has others now was made again or rolled back, and the note says nothing of it.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lake/table.h"
#include "tables/positions.h"

namespace headrace::jobs {

inline constexpr const char* kStandingByKey = "headrace.standing-by";

class StandingBy {
 public:
  // Adds a table that is not part of the commit.
  void add(const lake::Table& table, const std::optional<tables::Positions>& own);
  std::string to_text() const;
  // That of a table's current snapshot; corrupt when it is none.
  static StandingBy of(const lake::Table& table);

  // Whether the table stood by in this commit, and nobody has taken it back since.
  bool holds(const lake::Table& table, const std::optional<tables::Positions>& own) const;

  int64_t commit = 0;

 private:
  struct Stand {
    std::string uuid;
    std::string positions;  // empty: none yet
    bool operator==(const Stand&) const = default;
  };
  static Stand stand_of(const lake::Table& table, const std::optional<tables::Positions>& own);

  std::map<std::string, Stand> tables_;
};

}  // namespace headrace::jobs
