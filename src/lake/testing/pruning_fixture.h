#pragma once

// A table whose scans open only the files that a query needs, and how many those were.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "base/format.h"
#include "engine/database.h"
#include "lake/data_writer.h"
#include "lake/delete_function.h"
#include "lake/scan_files.h"
#include "lake/testing/lake_fixture.h"
#include "lake/transform.h"

namespace headrace::lake {

using Columns = std::vector<std::pair<std::string, std::string>>;
using Rows = std::vector<std::vector<std::optional<std::string>>>;

class FilePruningTest : public ::testing::Test {
 protected:
  FilePruningTest() {
    register_transform_functions(database_);
    register_delete_function(database_);
    register_file_scan(database_);
  }

  TablePtr create(const Columns& columns, const std::vector<std::string>& partition_by = {}) {
    return lake_.catalog->create({.identifier = {"silver", "t"},
                                  .schema = make_schema(columns),
                                  .partition_by = partition_by});
  }
  TablePtr append(const TablePtr& table, const std::string& select) {
    return lake_.append(table, write_data_files(*connection_, *lake_.catalog, *lake_.files,
                                                lake_.random, *table, select));
  }
  TablePtr change(TableChange change) { return lake_.catalog->commit({std::move(change)}).at(0); }

  Scan scan(const TablePtr& table) {
    return make_scan(table, table->metadata.current_schema(),
                     std::make_shared<const std::vector<DataFile>>(lake_.catalog->files(*table)));
  }

  // How many files a query with this condition reads.
  int64_t files_read(const TablePtr& table, const std::string& condition) {
    const Scan pruned = scan(table);
    connection_->query_rows(format("SELECT count(*) FROM ({}) WHERE {}", pruned.sql, condition));
    return connection_->files_scanned().read;
  }

  LakeFixture lake_;
  engine::Database database_;
  std::unique_ptr<engine::Connection> connection_ = database_.connect();
};

}  // namespace headrace::lake
