#include "views/testing/window_model.h"

#include <algorithm>

#include "base/format.h"
#include "lake/data_writer.h"

namespace headrace::views {

WindowModel::WindowModel(engine::Database& database, lake::Catalog& catalog,
                         lake::TableIdentifier source, WindowModelSpec spec)
    : catalog_(catalog),
      source_(std::move(source)),
      spec_(std::move(spec)),
      connection_(database.connect()) {
  connection_->execute("SET TimeZone = 'UTC'");
  connection_->execute(format("CREATE TEMP TABLE closed AS {} LIMIT 0",
                              by_looking(spec_.columns, source_.to_string(), "true")));
}

std::string WindowModel::committed() {
  const lake::TablePtr table = catalog_.load(source_);
  files_ = catalog_.files(*table);
  return format("({})", lake::scan_sql(*table, files_));
}

std::string WindowModel::by_looking(const std::string& columns, const std::string& source,
                                    const std::string& condition) const {
  std::string relation = spec_.relation;
  relation.replace(relation.find("{}"), 2, source);
  return format(
      "SELECT {} FROM (SELECT unnest(generate_series({}, {} + INTERVAL 10 DAYS, INTERVAL '{}')) AS "
      "w) AS windows JOIN {} ON ts >= w AND ts < w + INTERVAL '{}' WHERE {} GROUP BY ALL",
      columns, spec_.first_day, spec_.first_day, spec_.slide, relation, spec_.size, condition);
}

std::string WindowModel::ends_by(std::optional<int64_t> time_us) const {
  if (!time_us) return "false";
  return format("epoch_us(w + INTERVAL '{}') <= {}", spec_.size, *time_us);
}

std::string WindowModel::ends_after(std::optional<int64_t> time_us) const {
  return "NOT " + ends_by(time_us);
}

int64_t WindowModel::contributions_to_closed(const std::string& source) {
  return connection_->query_integer(
      format("SELECT coalesce(sum(n), 0) FROM ({})",
             by_looking("w, count(*) AS n", source, ends_by(closed_until_us_))));
}

void WindowModel::update(std::optional<int64_t> closed_until_us) {
  const std::string source = committed();
  const int64_t in_closed = contributions_to_closed(source);
  late_ += in_closed - in_closed_;
  const auto newest = connection_->query_value(format("SELECT epoch_us(max(ts)) FROM {}", source));
  const std::optional<int64_t> before_us = closed_until_us_;
  if (newest) {
    closed_until_us_ =
        std::max(before_us.value_or(INT64_MIN), int64_t{std::stoll(*newest)} - spec_.behind_us);
  }
  if (closed_until_us) {
    closed_until_us_ = std::max(closed_until_us_.value_or(INT64_MIN), *closed_until_us);
  }
  connection_->execute(
      format("INSERT INTO closed {}",
             by_looking(spec_.columns, source,
                        format("{} AND {}", ends_after(before_us), ends_by(closed_until_us_)))));
  in_closed_ = contributions_to_closed(source);
}

std::vector<std::vector<std::optional<std::string>>> WindowModel::on_change() {
  return connection_->query_rows(
      format("SELECT * FROM (SELECT * FROM closed UNION ALL {}) ORDER BY ALL",
             by_looking(spec_.columns, source_.to_string(), ends_after(closed_until_us_))));
}

std::vector<std::vector<std::optional<std::string>>> WindowModel::on_close() {
  return connection_->query_rows("SELECT * FROM closed ORDER BY ALL");
}

}  // namespace headrace::views
