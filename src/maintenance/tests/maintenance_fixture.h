#pragma once

// A table with real files, its contents as one text, and a maintainer over it.

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/database.h"
#include "lake/data_writer.h"
#include "lake/delete_function.h"
#include "lake/testing/lake_fixture.h"
#include "lake/transform.h"
#include "maintenance/maintainer.h"

namespace headrace::maintenance {

class MaintenanceTest : public ::testing::Test {
 protected:
  explicit MaintenanceTest(const lake::CatalogOptions& options = {})
      : lake_(options), connection_(database_.connect()) {
    lake::register_transform_functions(database_);
    lake::register_delete_function(database_);
  }

  lake::TablePtr load(const std::string& name = "edits") {
    return lake_.catalog->load({"bronze", name});
  }
  // Appends rows first … first + count - 1 as one file for each partition.
  lake::TablePtr append(lake::Catalog& catalog, FileSystem& files, int first, int count,
                        lake::Summary summary = {}) {
    lake::TableChange change;
    change.base = catalog.load({"bronze", "edits"});
    change.added = lake::write_data_files(
        *connection_, catalog, files, lake_.random, *change.base,
        format("SELECT i AS id, 'n' || (i % 3) AS name, "
               "TIMESTAMPTZ '2024-01-01 00:00:00+00' + i * INTERVAL 1 HOUR AS ts "
               "FROM range({}, {}) AS r(i)",
               first, first + count));
    change.summary = std::move(summary);
    return catalog.commit({change}).at(0);
  }
  lake::TablePtr append(int first, int count) {
    return append(*lake_.catalog, *lake_.files, first, count);
  }
  // Count and checksum of all rows.
  std::string contents(lake::Catalog& catalog) {
    const lake::TablePtr table = catalog.load({"bronze", "edits"});
    const auto rows = connection_->query_rows(
        format("SELECT count(*) || ':' || coalesce(sum(hash(t)), 0) FROM ({}) AS t",
               lake::scan_sql(*table, catalog.files(*table))));
    return rows[0][0].value_or("NULL");
  }
  std::string contents() { return contents(*lake_.catalog); }
  size_t file_count() { return lake_.catalog->files(*load()).size(); }

  // As a merge needs it.
  static engine::DatabaseOptions keeping_order() {
    engine::DatabaseOptions options;
    options.preserve_insertion_order = true;
    return options;
  }

  MaintainerOptions eager_options() const {
    MaintainerOptions options;
    options.planner.min_files = 2;
    options.interval = milliseconds(1);
    options.share_percent = 100;
    return options;
  }
  std::unique_ptr<Maintainer> maintainer(MaintainerOptions options) {
    return std::make_unique<Maintainer>(
        Maintainer::Collaborators{*lake_.catalog, *lake_.files, lake_.clock, lake_.random,
                                  *metrics_, [this](const auto&) { ++changes_; }},
        std::move(options));
  }

  lake::LakeFixture lake_;
  std::unique_ptr<telemetry::Metrics> metrics_ = telemetry::make_metrics();
  engine::Database database_{keeping_order()};
  std::unique_ptr<engine::Connection> connection_;
  std::atomic<int> changes_ = 0;
};

}  // namespace headrace::maintenance
