#include "views/testing/session_model.h"

#include <algorithm>
#include <iterator>

#include "base/format.h"
#include "lake/data_writer.h"

namespace headrace::views {

SessionModel::SessionModel(engine::Database& database, lake::Catalog& catalog,
                           lake::TableIdentifier source, int64_t gap_us, int64_t behind_us)
    : catalog_(catalog),
      source_(std::move(source)),
      gap_us_(gap_us),
      behind_us_(behind_us),
      connection_(database.connect()) {
  connection_->execute("SET TimeZone = 'UTC'");
}

SessionModel::Rows SessionModel::read(const std::string& relation) {
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

SessionModel::Rows SessionModel::committed() {
  const lake::TablePtr table = catalog_.load(source_);
  const std::vector<lake::DataFile> files = catalog_.files(*table);
  return read(format("({})", lake::scan_sql(*table, files)));
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

SessionModel::Sessions SessionModel::after(const Rows& now, int64_t& late) const {
  Sessions result;
  std::map<std::string, bool> countries;
  for (const auto& [country, rows] : now) countries[country] = true;
  for (const auto& [country, rows] : included_) countries[country] = true;
  for (const auto& [country, sessions] : sessions_) countries[country] = true;
  for (const auto& [country, is_there] : countries) {
    const auto rows_in = [&country = country](const Rows& rows) {
      const auto found = rows.find(country);
      return found == rows.end() ? std::vector<Row>{} : found->second;
    };
    const std::vector<Row> before = rows_in(included_);
    const std::vector<Row> after = rows_in(now);
    std::vector<Row> changes;
    std::set_symmetric_difference(before.begin(), before.end(), after.begin(), after.end(),
                                  std::back_inserter(changes));
    std::vector<Session> kept;
    std::vector<Session> affected;
    std::vector<Session> closed;
    const auto known = sessions_.find(country);
    for (const Session& session :
         known == sessions_.end() ? std::vector<Session>{} : known->second) {
      const bool is_met = std::any_of(changes.begin(), changes.end(), [&](const Row& change) {
        return session.first_us - gap_us_ <= change.at_us &&
               change.at_us <= session.last_us + gap_us_;
      });
      if (session.is_closed) closed.push_back(session);
      (session.is_closed || !is_met ? kept : affected).push_back(session);
    }
    const auto is_in = [](const std::vector<Session>& sessions, int64_t at_us) {
      return std::any_of(sessions.begin(), sessions.end(),
                         [&](const Session& session) { return session.holds(at_us); });
    };
    std::vector<Row> again;
    for (const Row& row : after) {
      const bool is_change = std::any_of(changes.begin(), changes.end(), [&](const Row& change) {
        return change.at_us == row.at_us;
      });
      if ((is_change || is_in(affected, row.at_us)) && !is_in(closed, row.at_us)) {
        again.push_back(row);
      }
    }
    std::vector<Session> made;
    for (const Session& session : walk(again)) {
      const bool was_open = std::any_of(affected.begin(), affected.end(),
                                        [&](const Session& each) { return session.meets(each); });
      if (was_open || !is_over(session)) made.push_back(session);
    }
    for (const Row& change : changes) {
      const bool is_taken = is_in(made, change.at_us) || is_in(affected, change.at_us);
      if (is_in(closed, change.at_us) || !is_taken) ++late;
    }
    kept.insert(kept.end(), made.begin(), made.end());
    result[country] = std::move(kept);
  }
  return result;
}

void SessionModel::update(std::optional<int64_t> closed_until_us) {
  const Rows now = committed();
  sessions_ = after(now, late_);
  included_ = now;
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
}

std::string SessionModel::shown() {
  int64_t late = 0;
  std::vector<std::string> values;
  for (const auto& [country, sessions] : after(read(source_.to_string()), late)) {
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
