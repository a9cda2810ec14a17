#pragma once

// What a view's table says of itself in the summary of its snapshots:
//   headrace.inputs  {"silver.edits": 4711}   the snapshots of its source and of the tables joined
//   to
//                                             it that it includes (0: there was none yet)
//   headrace.query   the fingerprint of the query that gave the rows

#include <map>
#include <optional>
#include <string>

#include "lake/table.h"

namespace headrace::views {

inline constexpr const char* kInputsKey = "headrace.inputs";
inline constexpr const char* kQueryKey = "headrace.query";

struct StoredInputs {
  std::string text;  // of headrace.inputs
  std::string query;

  // nullopt when the snapshot was not written by a view.
  static std::optional<StoredInputs> from_summary(const lake::Summary& summary);
  static StoredInputs of(const std::map<lake::TableIdentifier, lake::SnapshotId>& snapshots,
                         std::string query);

  lake::Summary to_summary() const;
  // nullopt when the rows were made from another table. Error corrupt when the text is none of
  // ours.
  std::optional<lake::SnapshotId> snapshot_of(const lake::TableIdentifier& source) const;
};

// What a commit expects of the snapshot it goes on from, as a guard against a second writer.
std::map<std::string, std::optional<std::string>> expected_summary(const lake::Snapshot* current);

}  // namespace headrace::views
