#include "jobs/writer.h"

#include <algorithm>

#include "base/error.h"
#include "jobs/found_fields.h"
#include "jobs/standing_by.h"
#include "lake/schema_evolution.h"

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

bool same_columns(const std::vector<engine::Column>& a, const std::vector<engine::Column>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.name == y.name && x.type == y.type;
  });
}

// The columns that each node of a job has found so far, kept with the tables that hold their rows.
std::map<std::string, std::string> found_properties(const CompiledJob& job) {
  if (job.inferring.empty()) return {};
  return {{kFoundFieldsProperty, found_fields_text(job)}};
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
      commit_connection_(collaborators.database.connect()),
      found_(found_properties(job)) {
  try {
    open_targets(job, raw_start);
  } catch (...) {
    close();
    throw;
  }
}

void JobWriter::open_targets(const CompiledJob& job,
                             const std::map<std::string, std::vector<stream::Offset>>& raw_start) {
  std::vector<CompiledTarget> wanted = job.targets;
  TargetNeed dead_letters;
  dead_letters.table = dead_letters_;
  wanted.push_back({"", std::move(dead_letters), dead_letter_columns(), "", ""});
  for (CompiledTarget& compiled : wanted) {
    tables::TargetSpec spec;
    spec.identifier = compiled.need.table;
    spec.columns = compiled.columns;
    spec.partition_by = compiled.need.partition_by;
    spec.properties = compiled.need.properties;
    if (compiled.holds_found_fields()) spec.properties.merge(found_properties(job));
    spec.upsert = compiled.need.upsert;
    spec.sort_by = compiled.need.sort_by;
    spec.format_version = compiled.need.format_version;
    spec.cause = format("job {}: its definition", job_);
    if (!compiled.raw_topic.empty()) {
      spec.raw_topic = compiled.raw_topic;
      spec.raw_start = raw_start.at(compiled.raw_topic);
    }
    WriterTarget target{std::move(compiled),
                        collaborators_.tables.open_target(spec),
                        nullptr,
                        std::nullopt,
                        std::nullopt,
                        true};
    target.written_as = lake::with_schema(target.state.table, target.state.hot_schema);
    targets_.push_back(std::move(target));
    check_owner(job_, *targets_.back().state.table);
    targets_.back().committed = positions_of(*targets_.back().state.table);
  }
  find_reached();
}

// What the newest commit with a word for a target says of it.
void JobWriter::find_reached() {
  std::vector<StandingBy> notes;
  for (const WriterTarget& target : targets_) {
    notes.push_back(StandingBy::of(*target.state.table));
    last_commit_ = std::max(last_commit_, notes.back().commit);
  }
  for (size_t i = 0; i < targets_.size(); ++i) {
    WriterTarget& target = targets_[i];
    target.reached = target.committed;
    int64_t newest = notes[i].commit;
    for (size_t j = 0; j < targets_.size(); ++j) {
      const bool tells = notes[j].holds(*target.state.table, target.committed);
      if (!tells || notes[j].commit <= newest || !targets_[j].committed) continue;
      newest = notes[j].commit;
      target.reached = targets_[j].committed;
    }
  }
}

JobWriter::~JobWriter() { close(); }

void JobWriter::close() noexcept {
  for (const WriterTarget& target : targets_) {
    try {
      collaborators_.tables.close_target(target.compiled.need.table);
    } catch (const std::exception&) {
      // Only the engine's memory is at stake, and it goes with the process.
    }
  }
  targets_.clear();
}

std::vector<std::pair<lake::TableIdentifier, int64_t>> JobWriter::insert(
    engine::Connection& connection, tables::LiveTables::ChangeBatch& changes) const {
  std::vector<std::pair<lake::TableIdentifier, int64_t>> grown;
  for (const WriterTarget& target : targets_) {
    const CompiledTarget& compiled = target.compiled;
    if (!target.is_active || compiled.select.empty()) continue;
    const lake::TableIdentifier& table = compiled.need.table;
    const int64_t rows =
        compiled.is_upsert()
            ? changes.apply(connection, table, {compiled.select, compiled.latest_first})
            : connection.execute(format("INSERT INTO {} {}", collaborators_.tables.hot_name(table),
                                        compiled.select));
    grown.emplace_back(table, rows);
  }
  return grown;
}

std::vector<lake::TableIdentifier> JobWriter::upserts() const {
  std::vector<lake::TableIdentifier> tables;
  for (const WriterTarget& target : targets_) {
    if (target.is_active && target.compiled.is_upsert()) {
      tables.push_back(target.compiled.need.table);
    }
  }
  return tables;
}

void JobWriter::check_not_moved() const {
  std::vector<lake::TableIdentifier> tables;
  for (const WriterTarget& target : targets_) tables.push_back(target.compiled.need.table);
  if (!collaborators_.tables.are_moved(tables)) return;
  throw TableMoved(format("job {}: somebody else committed to a table that it changes", job_));
}

void JobWriter::use(const CompiledJob& job) {
  found_ = found_properties(job);
  for (size_t i = 0; i < job.targets.size(); ++i) {
    WriterTarget& target = targets_[i];
    const bool is_changed = !same_columns(target.compiled.columns, job.targets[i].columns);
    target.compiled = job.targets[i];
    if (!is_changed) continue;
    const tables::TableState state =
        collaborators_.tables.evolve_target(target.compiled.need.table, target.compiled.columns);
    target.state.hot_schema = state.hot_schema;
    target.state.pending = state.pending;
    target.written_as = lake::with_schema(target.state.table, state.hot_schema);
  }
}

void JobWriter::activate(const std::vector<bool>& active) {
  for (size_t i = 0; i < targets_.size(); ++i) targets_[i].is_active = active[i];
}

bool JobWriter::has_news_of_found_fields(const WriterTarget& target) const {
  if (!target.compiled.holds_found_fields()) return false;
  const auto& properties = target.state.table->metadata.properties;
  return std::any_of(found_.begin(), found_.end(), [&](const auto& entry) {
    const auto known = properties.find(entry.first);
    return known == properties.end() || known->second != entry.second;
  });
}

// Raw tables have no hot rows, and those of upsert tables may all be deletes.
bool JobWriter::gets_something(const WriterTarget& target) const {
  return !target.compiled.raw_topic.empty() || target.compiled.is_upsert() ||
         target.state.pending || has_news_of_found_fields(target) ||
         collaborators_.tables.unsealed_rows(target.compiled.need.table) > 0;
}

SealedWork JobWriter::seal(const tables::Positions& positions) {
  SealedWork work;
  work.positions = positions;
  for (size_t i = 0; i < targets_.size(); ++i) {
    if (!targets_[i].is_active) continue;
    (gets_something(targets_[i]) ? work.targets : work.standing_by).push_back(i);
  }
  // One has to tell of the others.
  if (work.targets.empty() && !work.standing_by.empty()) {
    work.targets.push_back(work.standing_by.front());
    work.standing_by.erase(work.standing_by.begin());
  }
  std::vector<lake::TableIdentifier> identifiers;
  std::map<std::string, std::vector<stream::Offset>> raw_next;
  for (const size_t i : work.targets) {
    identifiers.push_back(targets_[i].compiled.need.table);
    const std::string& topic = targets_[i].compiled.raw_topic;
    if (!topic.empty()) raw_next[topic] = positions.topic(topic);
  }
  work.generations = collaborators_.tables.seal(identifiers, raw_next);
  written_.clear();
  return work;
}

JobWriter::Written JobWriter::write_files(const WriterTarget& target,
                                          const tables::SealedGeneration& sealed) {
  const lake::TableIdentifier& table = target.compiled.need.table;
  std::string rows;
  if (target.compiled.raw_topic.empty()) {
    rows = collaborators_.tables.sealed_rows_sql(table, sealed.number);
  } else {
    std::vector<std::string> names;
    for (const engine::Column& column : target.compiled.columns) {
      names.push_back(engine::quote_identifier(column.name));
    }
    rows = format("SELECT {} FROM {}", join(names, ", "),
                  tables::topic_sql(target.compiled.raw_topic, sealed.raw_range));
  }
  Written written;
  written.data =
      lake::write_data_files(*commit_connection_, collaborators_.catalog, collaborators_.files,
                             collaborators_.random, *target.written_as, rows);
  if (!sealed.deleted.empty()) {
    written.deletes =
        lake::delete_rows(*commit_connection_, collaborators_.catalog, collaborators_.files,
                          collaborators_.random, *sealed.base, sealed.deleted);
  }
  return written;
}

lake::TableChange JobWriter::change_of(const WriterTarget& target, const SealedWork& work,
                                       const Written& written,
                                       const tables::SealedGeneration& sealed) const {
  lake::TableChange change;
  // Of a table that is changed by key, files may have been merged since the job's last commit.
  change.base = sealed.is_upsert ? sealed.base : target.state.table;
  change.added = written.data;
  const lake::DeleteFiles& deletes = written.deletes;
  change.added.insert(change.added.end(), deletes.added.begin(), deletes.added.end());
  change.removed = deletes.removed;
  if (!deletes.added.empty()) change.operation = written.data.empty() ? "delete" : "overwrite";
  change.only_on_base = sealed.is_upsert;
  change.summary = {{tables::kPositionsKey, work.positions.to_text()}, {kJobKey, job_}};
  // Somebody else's commit in between may be an append; another job's positions may not.
  change.expected_summary = {
      {tables::kPositionsKey,
       target.committed ? std::optional<std::string>(target.committed->to_text()) : std::nullopt}};
  change.lease = collaborators_.lease;
  change.new_schema = target.state.pending;
  change.cause = format("job {}: records before {}", job_, work.positions.to_text());
  if (has_news_of_found_fields(target)) change.set_properties = found_;
  return change;
}

std::string JobWriter::standing_by_text(const SealedWork& work) const {
  StandingBy note;
  note.commit = last_commit_ + 1;
  for (const size_t i : work.standing_by) note.add(*targets_[i].state.table, targets_[i].committed);
  return note.to_text();
}

std::vector<lake::TablePtr> JobWriter::commit_changes(
    const SealedWork& work, const std::vector<lake::TableChange>& changes) {
  try {
    return collaborators_.catalog.commit(changes);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kConflict) throw;
    // With the positions still ours, it was not another writer of this job's rows.
    for (const size_t i : work.targets) {
      const WriterTarget& target = targets_[i];
      const auto now = collaborators_.catalog.load(target.compiled.need.table);
      if (positions_of(*now) != target.committed) throw;
    }
    throw TableMoved(error.message());
  }
}

void JobWriter::commit(const SealedWork& work) {
  const std::string standing_by = standing_by_text(work);
  std::vector<lake::TableChange> changes;
  for (size_t i = 0; i < work.targets.size(); ++i) {
    const WriterTarget& target = targets_[work.targets[i]];
    if (written_.size() <= i) written_.push_back(write_files(target, work.generations[i]));
    changes.push_back(change_of(target, work, written_[i], work.generations[i]));
    changes.back().summary[kStandingByKey] = standing_by;
  }
  const std::vector<lake::TablePtr> committed = commit_changes(work, changes);
  ++last_commit_;
  for (const size_t i : work.standing_by) targets_[i].reached = work.positions;
  std::vector<tables::LiveTables::CommittedTable> replacements;
  for (size_t i = 0; i < work.targets.size(); ++i) {
    WriterTarget& target = targets_[work.targets[i]];
    target.state.table = committed[i];
    target.state.pending.reset();
    target.written_as = lake::with_schema(committed[i], target.state.hot_schema);
    target.committed = target.reached = work.positions;
    replacements.push_back({committed[i], work.generations[i], written_[i].data, {}});
  }
  written_.clear();
  try {
    collaborators_.tables.replace_committed(replacements);
  } catch (const Error& error) {
    // The commit stands and must not be made again: the job goes on from it.
    throw TableMoved(
        format("the commit of job {} could not be taken up: {}", job_, error.message()));
  }
}

}  // namespace headrace::jobs
