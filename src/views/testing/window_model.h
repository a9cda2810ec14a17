#pragma once

// What a view over windows must show, made by looking at every row for every window: closed windows
// as they were when they closed, the others as they are now. Shares no code with views.

#include <optional>
#include <string>
#include <vector>

#include "engine/database.h"
#include "lake/testing/lake_fixture.h"

namespace headrace::views {

struct WindowModelSpec {
  std::string columns;   // selected: w (the start), and what else the view has
  std::string relation;  // after FROM, with {} for the source; has a column ts
  std::string size;      // intervals
  std::string slide;
  std::string first_day;  // windows begin in the ten days from here on
  int64_t behind_us = 0;  // of closing, behind the newest time: watermark and allowed lateness
};

class WindowModel {
 public:
  WindowModel(engine::Database& database, lake::Catalog& catalog, lake::TableIdentifier source,
              WindowModelSpec spec);

  // As a view that takes in what is committed. A view may have seen a newer time, of a row that
  // came and went meanwhile: then windows close by its time.
  void update(std::optional<int64_t> closed_until_us = std::nullopt);

  // SQL of what is shown, as long as the model lives; the name of the source is that of its live
  // table.
  std::vector<std::vector<std::optional<std::string>>> on_change();
  std::vector<std::vector<std::optional<std::string>>> on_close();
  // Contributions of committed rows to windows that had closed before; if rows only come.
  int64_t late() const { return late_; }
  std::optional<int64_t> closed_until_us() const { return closed_until_us_; }

 private:
  std::string committed();
  std::string by_looking(const std::string& columns, const std::string& source,
                         const std::string& condition) const;
  std::string ends_after(std::optional<int64_t> time_us) const;
  std::string ends_by(std::optional<int64_t> time_us) const;
  int64_t contributions_to_closed(const std::string& source);

  lake::Catalog& catalog_;
  lake::TableIdentifier source_;
  WindowModelSpec spec_;
  std::unique_ptr<engine::Connection> connection_;
  std::vector<lake::DataFile> files_;  // that the SQL of committed() reads
  std::optional<int64_t> closed_until_us_;
  int64_t in_closed_ = 0;  // rows in windows that are closed, taken in or late
  int64_t late_ = 0;
};

}  // namespace headrace::views
