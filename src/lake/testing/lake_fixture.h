#pragma once

// A catalog in a directory of its own, for tests.

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "lake/table.h"
#include "lake/testing/temporary_directory.h"
#include "store/metadata_store.h"

namespace headrace::lake {

class LakeFixture {
 public:
  explicit LakeFixture(CatalogOptions options = {});

  TemporaryDirectory directory;
  std::unique_ptr<FileSystem> files = make_posix_file_system();
  SystemClock clock;
  SeededRandom random;
  std::unique_ptr<store::MetadataStore> store;
  std::unique_ptr<Catalog> catalog;

  // id BIGINT, name VARCHAR, ts TIMESTAMPTZ.
  TablePtr create(const std::string& name, const std::vector<std::string>& partition_by = {});
  TablePtr append(const TablePtr& base, std::vector<DataFile> added, Summary summary = {});
  // A file that is only named, not written: for tests of metadata.
  DataFile named_file(const Table& table, const std::string& name, int64_t records) const;
};

std::vector<std::string> paths_of(const std::vector<DataFile>& files);

}  // namespace headrace::lake
