#include "views/testing/session_model.h"

#include <algorithm>
#include <iterator>

#include "base/format.h"
#include "lake/data_writer.h"

namespace headrace::views {

SessionModel::SessionModel(engine::Database& database, lake::Catalog& catalog,
                           lake::TableIdentifier source, int64_t gap_us, int64_t behind_us,
                           Emit emit)
    : catalog_(catalog),
      source_(std::move(source)),
      gap_us_(gap_us),
      behind_us_(behind_us),
      emit_(emit),
      connection_(database.connect()) {
  connection_->execute("SET TimeZone = 'UTC'");
}

SessionModel::Rows SessionModel::read(const std::string& table) {
  std::string relation = relation_;
  relation.replace(relation.find("{}"), 2, table);
  Rows rows;
  for (const auto& row : connection_->query_rows(
           format("SELECT coalesce(country, '?'), epoch_us(ts), amount FROM {}", relation))) {
    std::optional<int64_t> amount;
    if (row[2]) amount = std::stoll(*row[2]);
    rows[*row[0]].push_back({std::stoll(*row[1]), amount});
  }
  for (auto& [country, list] : rows) std::sort(list.begin(), list.end());
  return rows;
}

SessionModel::Rows SessionModel::committed(std::optional<lake::SnapshotId> snapshot) {
  const lake::TablePtr table = catalog_.load(source_);
  const std::vector<lake::DataFile> files = catalog_.files(*table, snapshot);
  return read(format("({})", lake::scan_sql(*table, files)));
}

bool SessionModel::is_in(const std::vector<Session>& sessions, int64_t at_us) {
  return std::any_of(sessions.begin(), sessions.end(),
                     [&](const Session& session) { return session.holds(at_us); });
}

bool SessionModel::meets_any(const std::vector<Session>& sessions, const Session& other) {
  return std::any_of(sessions.begin(), sessions.end(),
                     [&](const Session& session) { return session.meets(other); });
}

bool SessionModel::has_place(const std::vector<Row>& rows, int64_t at_us) {
  return std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return row.at_us == at_us; });
}

bool SessionModel::is_over(const Session& session) const {
  return closed_until_us_ && session.last_us + gap_us_ <= *closed_until_us_;
}

std::vector<SessionModel::Session> SessionModel::walk(const std::vector<Row>& rows) const {
  std::vector<Session> sessions;
  for (const Row& row : rows) {
    if (sessions.empty() || row.at_us - sessions.back().last_us > gap_us_) {
      sessions.push_back({row.at_us, row.at_us});
    }
    Session& session = sessions.back();
    session.last_us = row.at_us;
    ++session.rows;
    if (row.amount) session.total = session.total.value_or(0) + *row.amount;
  }
  return sessions;
}

std::map<std::string, SessionModel::Country> SessionModel::countries(const Rows& now) const {
  std::map<std::string, Country> result;
  for (const auto& [country, rows] : now) result[country].now = rows;
  for (const auto& [country, rows] : included_) result[country].before = rows;
  for (const auto& [country, sessions] : sessions_) result[country].sessions = sessions;
  for (auto& [name, country] : result) {
    std::set_symmetric_difference(country.before.begin(), country.before.end(), country.now.begin(),
                                  country.now.end(), std::back_inserter(country.changes));
  }
  return result;
}

SessionModel::Sessions SessionModel::after(const Rows& now, int64_t& late) const {
  Sessions result;
  for (const auto& [name, country] : countries(now)) {
    if (emit_ == Emit::kOnClose) {
      result[name] = after_on_close(country, late);
    } else {
      result[name] = has_other_joined_ ? built_anew(country) : after_on_change(country, late);
    }
  }
  return result;
}

std::vector<SessionModel::Session> SessionModel::built_anew(const Country& country) const {
  std::vector<Session> result = country.sessions;
  std::erase_if(result, [](const Session& session) { return !session.is_closed; });
  std::vector<Row> rows;
  for (const Row& row : country.now) {
    if (!is_in(result, row.at_us)) rows.push_back(row);
  }
  for (const Session& session : walk(rows)) {
    if (!is_over(session)) result.push_back(session);
  }
  return result;
}

std::vector<SessionModel::Session> SessionModel::after_on_change(const Country& country,
                                                                 int64_t& late) const {
  std::vector<Session> kept;
  std::vector<Session> affected;
  std::vector<Session> closed;
  for (const Session& session : country.sessions) {
    const bool is_met =
        std::any_of(country.changes.begin(), country.changes.end(), [&](const Row& change) {
          return session.first_us - gap_us_ <= change.at_us &&
                 change.at_us <= session.last_us + gap_us_;
        });
    if (session.is_closed) closed.push_back(session);
    (session.is_closed || !is_met ? kept : affected).push_back(session);
  }
  std::vector<Row> again;
  for (const Row& row : country.now) {
    if ((has_place(country.changes, row.at_us) || is_in(affected, row.at_us)) &&
        !is_in(closed, row.at_us)) {
      again.push_back(row);
    }
  }
  const std::vector<Session> made = made_of(again, affected);
  late += late_changes(country, made, affected, closed);
  kept.insert(kept.end(), made.begin(), made.end());
  return kept;
}

// What is made anew and over already is late, unless it is the rest of one that was open.
std::vector<SessionModel::Session> SessionModel::made_of(const std::vector<Row>& rows,
                                                         const std::vector<Session>& open) const {
  std::vector<Session> made;
  for (const Session& session : walk(rows)) {
    if (meets_any(open, session) || !is_over(session)) made.push_back(session);
  }
  return made;
}

int64_t SessionModel::late_changes(const Country& country, const std::vector<Session>& made,
                                   const std::vector<Session>& open,
                                   const std::vector<Session>& closed) {
  return std::count_if(country.changes.begin(), country.changes.end(), [&](const Row& change) {
    const bool is_taken = is_in(made, change.at_us) || is_in(open, change.at_us);
    return is_in(closed, change.at_us) || !is_taken;
  });
}

std::vector<SessionModel::Session> SessionModel::after_on_close(const Country& country,
                                                                int64_t& late) const {
  std::vector<Session> result = country.sessions;
  const std::vector<Session>& closed = country.sessions;
  std::vector<Row> before;
  for (const Row& row : country.before) {
    if (!is_late(row) && !is_in(closed, row.at_us)) before.push_back(row);
  }
  std::vector<Session> open;
  for (const Session& session : walk(before)) {
    if (!is_over(session)) open.push_back(session);
  }
  std::vector<Row> now;
  for (const Row& row : country.now) {
    const bool is_left_out = is_late(row) && !has_place(country.changes, row.at_us);
    if (!is_left_out && !is_in(closed, row.at_us)) now.push_back(row);
  }
  const std::vector<Session> made = made_of(now, open);
  late += late_changes(country, made, open, closed);
  result.insert(result.end(), made.begin(), made.end());
  return result;
}

bool SessionModel::is_late(const Row& row) const {
  return open_since_us_ && row.at_us < *open_since_us_;
}

void SessionModel::forget_open() {
  open_since_us_ = closed_until_us_;
  for (auto& [country, sessions] : sessions_) {
    for (const Session& session : sessions) {
      if (!session.is_closed) {
        open_since_us_ = std::min(open_since_us_.value_or(session.first_us), session.first_us);
      }
    }
    std::erase_if(sessions, [](const Session& session) { return !session.is_closed; });
  }
}

void SessionModel::update(std::optional<int64_t> closed_until_us) {
  const Rows now = committed();
  // What went is joined to what is there now, too.
  if (has_other_joined_ && included_snapshot_) included_ = committed(included_snapshot_);
  sessions_ = after(now, late_);
  has_other_joined_ = false;
  included_ = now;
  included_snapshot_ = catalog_.load(source_)->metadata.current_snapshot_id;
  for (const auto& [country, rows] : now) {
    if (rows.empty()) continue;
    closed_until_us_ =
        std::max(closed_until_us_.value_or(INT64_MIN), rows.back().at_us - behind_us_);
  }
  if (closed_until_us) {
    closed_until_us_ = std::max(closed_until_us_.value_or(INT64_MIN), *closed_until_us);
  }
  for (auto& [country, sessions] : sessions_) {
    for (Session& session : sessions) session.is_closed = session.is_closed || is_over(session);
  }
  if (emit_ == Emit::kOnClose) forget_open();
}

std::string SessionModel::shown() {
  int64_t late = 0;
  std::vector<std::string> values;
  const Sessions shown =
      emit_ == Emit::kOnChange ? after(read(source_.to_string()), late) : sessions_;
  for (const auto& [country, sessions] : shown) {
    for (const Session& session : sessions) {
      values.push_back(format("(make_timestamp({}), make_timestamp({}), nullif('{}', '?'), {}, {})",
                              session.first_us, session.last_us + gap_us_, country, session.rows,
                              session.total ? format("{}", *session.total) : "NULL"));
    }
  }
  if (values.empty()) return "SELECT 1 LIMIT 0";
  return format("SELECT * FROM (VALUES {}) v", join(values, ", "));
}

size_t SessionModel::closed() const {
  size_t count = 0;
  for (const auto& [country, sessions] : sessions_) {
    count += static_cast<size_t>(std::count_if(sessions.begin(), sessions.end(),
                                               [](const Session& each) { return each.is_closed; }));
  }
  return count;
}

}  // namespace headrace::views
