#include "views/stored_inputs.h"

#include "base/error.h"

namespace headrace::views {

std::optional<StoredInputs> StoredInputs::from_summary(const lake::Summary& summary) {
  const auto inputs = summary.find(kInputsKey);
  if (inputs == summary.end()) return std::nullopt;
  const auto query = summary.find(kQueryKey);
  return StoredInputs{inputs->second, query == summary.end() ? "" : query->second};
}

StoredInputs StoredInputs::of(const std::map<lake::TableIdentifier, lake::SnapshotId>& snapshots,
                              std::string query) {
  JsonObject inputs;
  for (const auto& [table, snapshot] : snapshots) inputs[table.to_string()] = snapshot;
  return {to_text(Json(std::move(inputs))), std::move(query)};
}

lake::Summary StoredInputs::to_summary() const { return {{kInputsKey, text}, {kQueryKey, query}}; }

std::optional<lake::SnapshotId> StoredInputs::snapshot_of(
    const lake::TableIdentifier& source) const {
  try {
    const Json inputs = parse_json(text, kInputsKey);
    const Json* found = find_member(inputs, source.to_string());
    if (found == nullptr) return std::nullopt;
    return found->as_int64();
  } catch (const std::exception& error) {
    fail(ErrorKind::kCorrupt, "the summary entry {} of a view's table cannot be read: {}",
         kInputsKey, error.what());
  }
}

std::map<std::string, std::optional<std::string>> expected_summary(const lake::Snapshot* current) {
  std::map<std::string, std::optional<std::string>> expected = {{kInputsKey, std::nullopt},
                                                                {kQueryKey, std::nullopt}};
  if (current == nullptr) return expected;
  for (auto& [key, value] : expected) {
    const auto found = current->summary.find(key);
    if (found != current->summary.end()) value = found->second;
  }
  return expected;
}

}  // namespace headrace::views
