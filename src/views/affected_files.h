#pragma once

// Which stored files can hold a group that a delta changes, by the bounds of their key columns: a
// file is out when its values of one key column and the delta's do not meet.

#include <optional>
#include <string>
#include <vector>

#include "lake/table.h"

namespace headrace::views {

// The values of one key column in a delta.
struct KeyRange {
  const lake::Field* field = nullptr;  // of the stored table
  std::optional<std::string> least;    // as text; nullopt: only nulls
  std::optional<std::string> greatest;
  bool has_null = false;
  bool is_endless = false;  // where one of both is missing there is no bound
};

bool may_hold(const lake::DataFile& file, const std::vector<KeyRange>& delta);

// Files of fewer rows count as small.
inline constexpr int64_t kSmallFileRows = 20'000;
// This many small files of one partition are left side by side.
inline constexpr size_t kMaxSmallFiles = 8;

// The files that an update has to write again: those that may hold one of its groups, and the small
// ones of a partition that has too many of them.
std::vector<lake::DataFile> files_to_rewrite(const std::vector<lake::DataFile>& stored,
                                             const std::vector<KeyRange>& delta);

}  // namespace headrace::views
