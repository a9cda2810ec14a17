#pragma once

// What a view of sessions with a watermark must show, made by walking over rows one by one: closed
// sessions as they were, and those that the rows of the others make. Emitted on close, the closed
// ones alone, and the others are made again from the rows at every update. Shares no code with
// views.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "engine/database.h"
#include "lake/testing/lake_fixture.h"
#include "views/event_time.h"

namespace headrace::views {

class SessionModel {
 public:
  // Over a table with the columns ts, country and amount. Sessions close `behind_us` after the
  // newest time.
  SessionModel(engine::Database& database, lake::Catalog& catalog, lake::TableIdentifier source,
               int64_t gap_us, int64_t behind_us, Emit emit = Emit::kOnChange);

  // As a view that takes in what is committed. A view may have seen a newer time, of a row that
  // came and went meanwhile: then sessions close by its time.
  void update(std::optional<int64_t> closed_until_us);

  // What the rows are joined to: a relation with the columns above, where {} stands for the table.
  void set_relation(std::string relation) { relation_ = std::move(relation); }
  // A view that is emitted on change is built anew at its next update then.
  void joined_table_changed() { has_other_joined_ = true; }

  // SELECT of start, end, country, number of rows, and the sum of amounts, of what is shown now.
  std::string shown();
  int64_t late() const { return late_; }
  size_t closed() const;
  std::optional<int64_t> closed_until_us() const { return closed_until_us_; }

 private:
  struct Row {
    int64_t at_us;
    std::optional<int64_t> amount;
    auto operator<=>(const Row&) const = default;
  };
  struct Session {
    int64_t first_us;
    int64_t last_us;
    int64_t rows = 0;
    std::optional<int64_t> total = {};
    bool is_closed = false;

    bool holds(int64_t at_us) const { return first_us <= at_us && at_us <= last_us; }
    bool meets(const Session& other) const {
      return first_us <= other.last_us && last_us >= other.first_us;
    }
  };
  using Rows = std::map<std::string, std::vector<Row>>;  // by country, sorted
  using Sessions = std::map<std::string, std::vector<Session>>;

  Rows read(const std::string& table);
  Rows committed(std::optional<lake::SnapshotId> snapshot = std::nullopt);
  // The rows of one country when they were taken in last and as they are now, those that are in one
  // alone, and the sessions that are known.
  struct Country {
    std::vector<Row> before;
    std::vector<Row> now;
    std::vector<Row> changes;
    std::vector<Session> sessions;
  };
  std::map<std::string, Country> countries(const Rows& now) const;
  // What becomes of the sessions by these rows; adds to `late`.
  Sessions after(const Rows& now, int64_t& late) const;
  std::vector<Session> after_on_change(const Country& country, int64_t& late) const;
  std::vector<Session> built_anew(const Country& country) const;
  std::vector<Session> after_on_close(const Country& country, int64_t& late) const;
  std::vector<Session> made_of(const std::vector<Row>& rows,
                               const std::vector<Session>& open) const;
  static int64_t late_changes(const Country& country, const std::vector<Session>& made,
                              const std::vector<Session>& open, const std::vector<Session>& closed);
  void forget_open();
  std::vector<Session> walk(const std::vector<Row>& rows) const;
  bool is_over(const Session& session) const;
  bool is_late(const Row& row) const;
  static bool is_in(const std::vector<Session>& sessions, int64_t at_us);
  static bool meets_any(const std::vector<Session>& sessions, const Session& other);
  static bool has_place(const std::vector<Row>& rows, int64_t at_us);

  lake::Catalog& catalog_;
  lake::TableIdentifier source_;
  const int64_t gap_us_;
  const int64_t behind_us_;
  const Emit emit_;
  std::unique_ptr<engine::Connection> connection_;
  std::string relation_ = "{}";
  bool has_other_joined_ = false;
  Rows included_;
  std::optional<lake::SnapshotId> included_snapshot_;
  Sessions sessions_;
  std::optional<int64_t> closed_until_us_;
  std::optional<int64_t> open_since_us_;  // emitted on close: what is older is late
  int64_t late_ = 0;
};

}  // namespace headrace::views
