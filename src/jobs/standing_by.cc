#include "jobs/standing_by.h"

#include "base/json.h"

namespace headrace::jobs {

StandingBy::Stand StandingBy::stand_of(const lake::Table& table,
                                       const std::optional<tables::Positions>& own) {
  return {table.metadata.table_uuid, own ? own->to_text() : ""};
}

void StandingBy::add(const lake::Table& table, const std::optional<tables::Positions>& own) {
  tables_[table.identifier.to_string()] = stand_of(table, own);
}

bool StandingBy::holds(const lake::Table& table,
                       const std::optional<tables::Positions>& own) const {
  const auto found = tables_.find(table.identifier.to_string());
  return found != tables_.end() && found->second == stand_of(table, own);
}

std::string StandingBy::to_text() const {
  JsonObject tables;
  for (const auto& [name, stand] : tables_) {
    tables[name] = JsonObject{{"uuid", stand.uuid}, {"positions", stand.positions}};
  }
  return headrace::to_text(JsonObject{{"commit", commit}, {"tables", std::move(tables)}});
}

StandingBy StandingBy::of(const lake::Table& table) {
  StandingBy note;
  const lake::Snapshot* snapshot = table.metadata.current_snapshot();
  if (snapshot == nullptr) return note;
  const auto text = snapshot->summary.find(kStandingByKey);
  if (text == snapshot->summary.end()) return note;
  const Json json = parse_json(text->second, kStandingByKey);
  note.commit = integer_member(json, "commit");
  const Json& tables = member(json, "tables");
  if (!tables.is_object()) return note;
  for (const auto& [name, stand] : tables.get_object()) {
    note.tables_[std::string(name)] = {string_member(stand, "uuid"),
                                       string_member(stand, "positions")};
  }
  return note;
}

}  // namespace headrace::jobs
