#include "views/incremental_view.h"

#include "base/error.h"
#include "telemetry/log.h"
#include "views/stored_inputs.h"

namespace headrace::views {

using engine::quote_identifier;
using lake::SnapshotId;
using lake::TablePtr;

namespace {

constexpr int kMaxAttempts = 8;
// Of a table that a view keeps: its name.
constexpr const char* kViewProperty = "headrace.view";

std::string describe(const std::vector<engine::Column>& columns) {
  std::vector<std::string> texts;
  for (const engine::Column& column : columns) texts.push_back(column.name + " " + column.type);
  return format("{}", join(texts, ", "));
}

std::vector<engine::Column> columns_of(const lake::Table& table) {
  std::vector<engine::Column> columns;
  for (const lake::Field& field : table.metadata.current_schema().fields) {
    columns.push_back({field.name, lake::to_duckdb(field.type)});
  }
  return columns;
}

lake::Schema schema_of(const ViewQuery& query) {
  std::vector<std::pair<std::string, std::string>> columns;
  for (const engine::Column& column : query.stored_columns()) {
    columns.emplace_back(column.name, column.type);
  }
  return lake::make_schema(columns);
}

void check_columns(const std::string& view, const ViewQuery& query, const lake::Table& table) {
  const std::string wanted = describe(query.stored_columns());
  const std::string there = describe(columns_of(table));
  if (wanted == there) return;
  fail(ErrorKind::kInvalid,
       "the columns of view '{}' do not fit table {}: the table has ({}), the view gives ({}); "
       "give the view another table, or drop this one with 'headrace tables drop {}' and it is "
       "built anew",
       view, table.identifier.to_string(), there, wanted, table.identifier.to_string());
}

}  // namespace

IncrementalView::IncrementalView(const Collaborators& collaborators, ViewSpec spec)
    : collaborators_(collaborators),
      spec_(std::move(spec)),
      connection_(collaborators.database.connect()),
      parsed_(ViewQuery::parse(*connection_, spec_.sql, SourceKind::kAppended)),
      query_(parsed_),
      delete_reader_(collaborators.database) {
  // Windows of times with zone are those of UTC, and bounds are compared as text of it.
  connection_->execute("SET TimeZone = 'UTC'");
  if (source() == spec_.table) {
    fail(ErrorKind::kInvalid, "view '{}' reads table {}, which it writes itself", spec_.name,
         spec_.table.to_string());
  }
  check_window(parsed_);
}

IncrementalView::~IncrementalView() {
  if (!is_open_) return;
  try {
    for (const lake::TableIdentifier& input : inputs()) {
      collaborators_.tables.remove_dependent(input, this);
    }
    collaborators_.tables.end_view_owner(spec_.table, this);
  } catch (const std::exception& error) {
    telemetry::log_warning("views", "the table keeps the SQL of a view that ended",
                           {{"view", spec_.name}, {"error", error.what()}});
  }
}

void IncrementalView::check() {
  const auto state = collaborators_.tables.find(source());
  if (!state) return;
  for (const lake::TableIdentifier& identifier : parsed_.joined()) {
    if (!collaborators_.catalog.find(identifier)) return;
  }
  const ViewQuery query = bound_query(*state->table);
  const lake::Schema schema = schema_of(query);
  for (const std::string& text : spec_.partition_by) {
    lake::parse_partition_field(text, schema, 0);
  }
  if (const TablePtr table = collaborators_.catalog.find(spec_.table)) {
    check_columns(spec_.name, query, *table);
  }
}

tables::TableState IncrementalView::source_state() {
  auto state = collaborators_.tables.find(source());
  // A table that a job writes to is taken up by the job, together with its hot rows.
  if (!state || !state->is_target) {
    if (collaborators_.catalog.find(source())) collaborators_.tables.refresh(source());
    state = collaborators_.tables.find(source());
  }
  if (state) return *std::move(state);
  fail(ErrorKind::kNotFound, "it reads table {}, which does not exist yet", source().to_string());
}

void IncrementalView::check_window(const ViewQuery& query) const {
  check_closing(query, spec_.closing);
}

// Rows of any table may go, by another engine. Over one that is only appended to, a single least or
// greatest value is kept instead of all; then such a change makes its groups be made again.
ViewQuery IncrementalView::bound_query(const lake::Table& source) const {
  const auto& properties = source.metadata.properties;
  const bool is_changing = properties.contains(tables::kPrimaryKeyProperty) ||
                           properties.contains(kViewProperty) || !parsed_.has_extremes();
  const bool is_final = is_emitted_on_close() || parsed_.has_sessions();
  ViewQuery query = is_changing && !is_final
                        ? ViewQuery::parse(*connection_, spec_.sql, SourceKind::kChanging)
                        : parsed_;
  if (is_final) query.store_finals_only();
  if (is_emitted_on_close()) query.store_closed_only();
  query.bind(*connection_, columns_relation(source));
  check_window(query);
  return query;
}

std::vector<lake::TableIdentifier> IncrementalView::inputs() const {
  std::vector<lake::TableIdentifier> tables = parsed_.joined();
  tables.insert(tables.begin(), source());
  return tables;
}

// An empty relation of the columns of all inputs.
std::string IncrementalView::columns_relation(const lake::Table& source) const {
  std::vector<std::string> joined;
  for (const lake::TableIdentifier& identifier : parsed_.joined()) {
    joined.push_back(format("({})", lake::scan_sql(*collaborators_.catalog.load(identifier), {})));
  }
  return query_.from_sql(format("({})", lake::scan_sql(source, {})), joined);
}

// Taken up by SQL, so that we are told of their commits.
std::vector<TablePtr> IncrementalView::joined_tables() {
  std::vector<TablePtr> tables;
  for (const lake::TableIdentifier& identifier : parsed_.joined()) {
    auto state = collaborators_.tables.find(identifier);
    if (!state || !state->is_target) {
      if (collaborators_.catalog.find(identifier)) collaborators_.tables.refresh(identifier);
      state = collaborators_.tables.find(identifier);
    }
    if (!state) {
      fail(ErrorKind::kNotFound, "it joins table {}, which does not exist yet",
           identifier.to_string());
    }
    tables.push_back(state->table);
  }
  return tables;
}

IncrementalView::Joined IncrementalView::joined_from(const std::vector<TablePtr>& tables) const {
  Joined joined;
  for (const TablePtr& table : tables) {
    std::vector<lake::DataFile> files = collaborators_.catalog.files(*table);
    joined.sql.push_back(format("({})", lake::scan_sql(*table, files)));
    joined.snapshots[table->identifier] = table->metadata.current_snapshot_id.value_or(0);
    joined.files.insert(joined.files.end(), files.begin(), files.end());
  }
  return joined;
}

void IncrementalView::open() {
  const tables::TableState state = source_state();
  joined_tables();
  query_ = bound_query(*state.table);
  const auto own = collaborators_.tables.find(spec_.table);
  if (own && own->is_target) {
    fail(ErrorKind::kInvalid, "table {} is written by a job; give view '{}' a table of its own",
         spec_.table.to_string(), spec_.name);
  }
  Stored stored = read_stored(open_table());
  {
    std::lock_guard lock(mutex_);
    published_ = stored;
  }
  take_place();
  publish(std::move(stored));
}

// From here on our definition is asked for.
void IncrementalView::take_place() {
  collaborators_.tables.set_view_owner(spec_.table, this);
  for (const lake::TableIdentifier& input : inputs()) {
    collaborators_.tables.add_dependent(input, this);
  }
  is_open_ = true;
}

void IncrementalView::show() {
  const tables::TableState state = source_state();
  joined_tables();
  query_ = bound_query(*state.table);
  Stored stored;
  if (TablePtr table = collaborators_.catalog.find(spec_.table)) {
    check_columns(spec_.name, query_, *table);
    stored = read_stored(std::move(table));
  }
  {
    std::lock_guard lock(mutex_);
    published_ = std::move(stored);
  }
  take_place();
  collaborators_.tables.run_locked([this] { return definition(); });
}

// Made again when it was dropped.
TablePtr IncrementalView::open_table() {
  if (TablePtr table = collaborators_.catalog.find(spec_.table)) {
    check_columns(spec_.name, query_, *table);
    return table;
  }
  return collaborators_.catalog.create(
      {spec_.table, schema_of(query_), spec_.partition_by, {{kViewProperty, spec_.name}}, ""});
}

IncrementalView::Stored IncrementalView::read_stored(TablePtr table) const {
  Stored stored{std::move(table)};
  const lake::Snapshot* snapshot = stored.table->metadata.current_snapshot();
  if (snapshot == nullptr) return stored;
  stored.files = collaborators_.catalog.files(*stored.table);
  const auto inputs = StoredInputs::from_summary(snapshot->summary);
  if (!inputs) {
    fail(ErrorKind::kInvalid,
         "table {} holds rows that no view wrote; give view '{}' another table",
         spec_.table.to_string(), spec_.name);
  }
  if (inputs->query != query_.fingerprint()) {
    stored.reason_to_rebuild = "its query has changed";
  } else {
    stored.included = inputs->snapshot_of(source());
    stored.event_time = EventTime::from_summary(snapshot->summary);
    if (!stored.included) {
      stored.reason_to_rebuild = "it was made from another table";
      stored.event_time = {};
    } else if (!spec_.closing.watermark && stored.event_time.closed_until_us) {
      stored.included = std::nullopt;
      stored.reason_to_rebuild = "it has no watermark any more";
      stored.event_time = {};
    }
    for (const lake::TableIdentifier& joined : parsed_.joined()) {
      stored.joined[joined] = inputs->snapshot_of(joined).value_or(0);
    }
  }
  return stored;
}

// Makes SQL show what is stored now and what came after it.
void IncrementalView::publish(Stored stored) {
  int64_t rows = 0;
  for (const lake::DataFile& file : stored.files) rows += file.record_count;
  {
    std::lock_guard lock(mutex_);
    progress_.is_open = true;
    progress_.included = stored.included;
    progress_.event_time = stored.event_time;
    progress_.rows = rows;
    published_ = std::move(stored);
  }
  collaborators_.tables.refresh(spec_.table);
  // Whoever refreshed it before us did so with the definition of then.
  collaborators_.tables.run_locked([this] { return definition(); });
}

// The stored rows with what has come since; empty when that cannot be told.
std::string IncrementalView::up_to_date_sql(const Stored& stored, lake::TableChanges& shown,
                                            Joined& joined) {
  // What is emitted on close is what is stored, whatever has come since.
  if (is_emitted_on_close() && stored.table) return shown_sql(stored, {}, "");
  try {
    std::vector<TablePtr> tables;
    for (const lake::TableIdentifier& identifier : parsed_.joined()) {
      TablePtr table = collaborators_.tables.committed(identifier);
      // One that was dropped goes on as it was, until there is another.
      tables.push_back(table ? std::move(table) : collaborators_.catalog.load(identifier));
    }
    joined = joined_from(tables);
    if (!stored.included || stored.joined != joined.snapshots) return "";
    tables::SignedChanges changes =
        collaborators_.tables.changes_after(source(), *stored.included, true);
    const bool takes_back = query_.source_kind() == SourceKind::kChanging || query_.has_sessions();
    if (!takes_back && !changes.only_came) return "";
    std::string rows = shown_sql(stored, joined.sql, changes.sql);
    shown = std::move(changes.files);
    return rows;
  } catch (const Error&) {
    // What is included is no longer, or not yet, known to the live table: the whole source gives
    // the same rows, and update() mends it. A failure here would stop the job that commits.
    return "";
  }
}

std::vector<std::string> IncrementalView::definition() {
  Stored stored;
  {
    std::lock_guard lock(mutex_);
    stored = published_;
  }
  lake::TableChanges shown;
  Joined joined;
  std::string rows = up_to_date_sql(stored, shown, joined);
  if (rows.empty()) {
    if (joined.sql.size() < parsed_.joined().size()) {
      joined = {};
      for (const lake::TableIdentifier& table : parsed_.joined()) {
        joined.sql.push_back(engine::quote_name(table.database, table.name));
      }
    }
    rows = whole_sql(stored, joined.sql);
    if (is_emitted_on_close()) rows = format("SELECT * FROM ({}) LIMIT 0", rows);
  }
  {
    std::lock_guard lock(mutex_);
    shown_changes_ = std::move(shown);
    shown_joined_ = std::move(joined);
  }
  return {format("CREATE SCHEMA IF NOT EXISTS {}", quote_identifier(spec_.table.database)),
          format("CREATE OR REPLACE VIEW {} AS {}",
                 engine::quote_name(spec_.table.database, spec_.table.name), rows)};
}

// Stored rows and what became of them.
std::string IncrementalView::shown_sql(const Stored& stored, const std::vector<std::string>& joined,
                                       const std::string& changes) {
  const std::string& scan = stored_sql(stored);
  if (is_emitted_on_close()) return query_.shown_columns_sql(scan);
  const ViewQuery open = query_.of_windows(stored.event_time.closed_until_us, std::nullopt);
  if (query_.has_sessions()) {
    return open.current_sessions_sql(
        scan, query_.rows_sql(changes, joined),
        query_.rows_sql(collaborators_.tables.rows_sql(source(), true), joined));
  }
  const std::string relation = query_.rows_sql(changes, joined);
  return query_.current_sql(scan, query_.source_kind() == SourceKind::kChanging
                                      ? open.signed_delta_sql(relation)
                                      : open.delta_sql(relation));
}

// All rows of the source, and the stored ones whose windows are closed.
std::string IncrementalView::whole_sql(const Stored& stored,
                                       const std::vector<std::string>& joined) {
  const auto closed_until_us = stored.event_time.closed_until_us;
  const ViewQuery open = query_.of_windows(closed_until_us, std::nullopt);
  const std::string all = query_.rows_sql(collaborators_.tables.rows_sql(source(), true), joined);
  if (!closed_until_us) return open.visible_sql(open.merged_sql({open.delta_sql(all)}));
  const std::string& scan = stored_sql(stored);
  const std::string rows = query_.has_sessions()
                               ? open.whole_sessions_sql(scan, all)
                               : open.visible_sql(open.merged_sql({open.delta_sql(all)}));
  return format("{} UNION ALL {} WHERE {}", rows, query_.shown_columns_sql(scan),
                query_.ended_sql(*closed_until_us));
}

const std::string& IncrementalView::stored_sql(const Stored& stored) {
  if (stored_scan_of_ != stored.table->metadata_location) {
    stored_scan_ =
        lake::make_scan(stored.table, stored.table->metadata.current_schema(),
                        std::make_shared<const std::vector<lake::DataFile>>(stored.files));
    stored_scan_of_ = stored.table->metadata_location;
  }
  return stored_scan_.sql;
}

// What was committed to the stored table up to what is shown, and what SQL shows beyond that.
tables::SignedChanges IncrementalView::changes_after(SnapshotId snapshot) {
  Stored stored;
  {
    std::lock_guard lock(mutex_);
    stored = published_;
  }
  const std::string columns = query_.output_names();
  tables::SignedChanges changes;
  changes.files =
      lake::changes_after(collaborators_.catalog, *stored.table, snapshot, delete_reader_.loader());
  changes.sql = format(
      "(SELECT {0}, {1} FROM ({2}) UNION ALL SELECT {0}, 1 FROM {3} UNION ALL SELECT {0}, -1 FROM "
      "({4}))",
      columns, kSignColumn, lake::changes_sql(*stored.table, changes.files, kSignColumn),
      engine::quote_name(spec_.table.database, spec_.table.name),
      lake::scan_sql(*stored.table, stored.files));
  return changes;
}

ViewProgress IncrementalView::progress() const {
  std::lock_guard lock(mutex_);
  return progress_;
}

bool IncrementalView::update() {
  for (int attempt = 1;; ++attempt) {
    try {
      return update_once();
    } catch (const Error& error) {
      // Both are told by reading again: either the update is there, or it is tried once more.
      const bool is_race =
          error.kind() == ErrorKind::kConflict || error.kind() == ErrorKind::kCommitUnknown;
      if (!is_race || attempt == kMaxAttempts) {
        throw error.with_context(format("updating view '{}'", spec_.name));
      }
      telemetry::log_info("views", "reading again after a race",
                          {{"view", spec_.name}, {"error", error.what()}});
    }
  }
}

bool IncrementalView::update_once() {
  if (!is_open_) open();
  const tables::TableState state = source_state();
  Stored stored = read_stored(open_table());
  joined_ = joined_from(joined_tables());
  const std::optional<SnapshotId> newest = state.table->metadata.current_snapshot_id;
  if (!newest || (stored.included == newest && stored.joined == joined_.snapshots)) {
    const bool is_published = [&] {
      std::lock_guard lock(mutex_);
      return published_.table->metadata_location == stored.table->metadata_location;
    }();
    if (!is_published) publish(std::move(stored));
    return false;
  }
  const Change change = plan(*state.table, stored);
  Stored updated = commit(stored, change, *newest);
  {
    std::lock_guard lock(mutex_);
    ++progress_.updates;
    if (!stored.reason_to_rebuild.empty()) {
      ++progress_.rebuilds;
      progress_.last_rebuild = stored.reason_to_rebuild;
    }
  }
  publish(std::move(updated));
  return true;
}

}  // namespace headrace::views
