#include "jobs/writer.h"

#include <set>

#include "base/error.h"

namespace headrace::jobs {
namespace {

constexpr const char* kJobKey = "headrace.job";

std::optional<tables::Positions> positions_of(const lake::Table& table) {
  const lake::Snapshot* snapshot = table.metadata.current_snapshot();
  if (snapshot == nullptr) return std::nullopt;
  const auto found = snapshot->summary.find(tables::kPositionsKey);
  if (found == snapshot->summary.end()) return std::nullopt;
  return tables::Positions::from_text(found->second);
}

// Positions are only good for the job that wrote them.
void check_owner(const std::string& job, const lake::Table& table) {
  const lake::Snapshot* snapshot = table.metadata.current_snapshot();
  if (snapshot == nullptr) return;
  const auto owner = snapshot->summary.find(kJobKey);
  if (owner == snapshot->summary.end() || owner->second == job) return;
  fail(ErrorKind::kConflict,
       "table {} was written by job '{}', and its positions are that job's: give job '{}' a table "
       "of its own, keep "
       "the old name, or drop the table",
       table.identifier.to_string(), owner->second, job);
}

}  // namespace

const std::vector<engine::Column>& dead_letter_columns() {
  static const std::vector<engine::Column> columns = {{"rejected_at", "TIMESTAMP WITH TIME ZONE"},
                                                      {"job", "VARCHAR"},
                                                      {"node", "VARCHAR"},
                                                      {"reason", "VARCHAR"},
                                                      {"topic", "VARCHAR"},
                                                      {"partition", "INTEGER"},
                                                      {"offset", "BIGINT"},
                                                      {"time", "TIMESTAMP WITH TIME ZONE"},
                                                      {"key", "VARCHAR"},
                                                      {"value", "VARCHAR"},
                                                      {"key_bytes", "BLOB"},
                                                      {"value_bytes", "BLOB"},
                                                      {"row", "VARCHAR"}};
  return columns;
}

lake::TableIdentifier dead_letter_table(const std::string& job) { return {"dead_letters", job}; }

JobWriter::JobWriter(const Collaborators& collaborators, const CompiledJob& job,
                     const std::map<std::string, std::vector<stream::Offset>>& raw_start)
    : collaborators_(collaborators),
      job_(job.name),
      dead_letters_(dead_letter_table(job.name)),
      commit_connection_(collaborators.database.connect()) {
  std::vector<CompiledTarget> wanted = job.targets;
  wanted.push_back({"", {dead_letters_, {}, {}}, dead_letter_columns(), "", ""});
  for (CompiledTarget& compiled : wanted) {
    tables::TargetSpec spec;
    spec.identifier = compiled.need.table;
    spec.columns = compiled.columns;
    spec.partition_by = compiled.need.partition_by;
    spec.properties = compiled.need.properties;
    if (!compiled.raw_topic.empty()) {
      spec.raw_topic = compiled.raw_topic;
      spec.raw_start = raw_start.at(compiled.raw_topic);
    }
    WriterTarget target{std::move(compiled), collaborators_.tables.open_target(spec), std::nullopt,
                        true};
    targets_.push_back(std::move(target));
    check_owner(job_, *targets_.back().state.table);
    targets_.back().committed = positions_of(*targets_.back().state.table);
  }
}

JobWriter::~JobWriter() {
  for (const WriterTarget& target : targets_) {
    try {
      collaborators_.tables.close_target(target.compiled.need.table);
    } catch (const std::exception&) {
      // Only the engine's memory is at stake, and it goes with the process.
    }
  }
}

std::vector<std::pair<lake::TableIdentifier, std::string>> JobWriter::insert_statements() const {
  std::vector<std::pair<lake::TableIdentifier, std::string>> statements;
  for (const WriterTarget& target : targets_) {
    if (!target.is_active || target.compiled.select.empty()) continue;
    const lake::TableIdentifier& table = target.compiled.need.table;
    statements.emplace_back(
        table,
        format("INSERT INTO {} {}", collaborators_.tables.hot_name(table), target.compiled.select));
  }
  return statements;
}

void JobWriter::use(const CompiledJob& job) {
  for (size_t i = 0; i < job.targets.size(); ++i) targets_[i].compiled = job.targets[i];
}

void JobWriter::activate(const std::vector<bool>& active) {
  for (size_t i = 0; i < targets_.size(); ++i) targets_[i].is_active = active[i];
}

SealedWork JobWriter::seal(const tables::Positions& positions) {
  SealedWork work;
  work.positions = positions;
  std::vector<lake::TableIdentifier> identifiers;
  std::map<std::string, std::vector<stream::Offset>> raw_next;
  for (size_t i = 0; i < targets_.size(); ++i) {
    if (!targets_[i].is_active) continue;
    work.targets.push_back(i);
    identifiers.push_back(targets_[i].compiled.need.table);
    const std::string& topic = targets_[i].compiled.raw_topic;
    if (!topic.empty()) raw_next[topic] = positions.topic(topic);
  }
  work.generations = collaborators_.tables.seal(identifiers, raw_next);
  written_.clear();
  return work;
}

std::vector<lake::DataFile> JobWriter::write_files(const WriterTarget& target,
                                                   const tables::SealedGeneration& sealed) {
  const std::string relation =
      target.compiled.raw_topic.empty()
          ? tables::LiveTables::hot_name(target.compiled.need.table, sealed.number)
          : tables::topic_sql(target.compiled.raw_topic, sealed.raw_range);
  std::vector<std::string> names;
  for (const engine::Column& column : target.compiled.columns) {
    names.push_back(engine::quote_identifier(column.name));
  }
  return lake::write_data_files(*commit_connection_, collaborators_.catalog, collaborators_.files,
                                collaborators_.random, *target.state.table,
                                format("SELECT {} FROM {}", join(names, ", "), relation));
}

void JobWriter::commit(const SealedWork& work) {
  std::vector<lake::TableChange> changes;
  const std::string positions = work.positions.to_text();
  for (size_t i = 0; i < work.targets.size(); ++i) {
    WriterTarget& target = targets_[work.targets[i]];
    if (written_.size() <= i) written_.push_back(write_files(target, work.generations[i]));
    lake::TableChange change;
    change.base = target.state.table;
    change.added = written_[i];
    change.summary = {{tables::kPositionsKey, positions}, {kJobKey, job_}};
    // Somebody else's commit in between may be an append; another job's positions may not.
    change.expected_summary = {
        {tables::kPositionsKey, target.committed
                                    ? std::optional<std::string>(target.committed->to_text())
                                    : std::nullopt}};
    changes.push_back(std::move(change));
  }
  const std::vector<lake::TablePtr> committed = collaborators_.catalog.commit(changes);
  std::vector<tables::LiveTables::CommittedTable> replacements;
  for (size_t i = 0; i < work.targets.size(); ++i) {
    WriterTarget& target = targets_[work.targets[i]];
    target.state.table = committed[i];
    target.committed = work.positions;
    replacements.push_back({committed[i], work.generations[i], written_[i], {}});
  }
  collaborators_.tables.replace_committed(replacements);
  written_.clear();
}

}  // namespace headrace::jobs
