#include "lake/testing/lake_fixture.h"

#include <algorithm>

namespace headrace::lake {

LakeFixture::LakeFixture(CatalogOptions options)
    : store(store::open_sqlite_store(directory.path() + "/metadata.db")) {
  options.warehouse = directory.path() + "/warehouse";
  catalog = Catalog::open(*store, *files, clock, random, options);
}

TablePtr LakeFixture::create(const std::string& name,
                             const std::vector<std::string>& partition_by) {
  CreateTable request;
  request.identifier = {"bronze", name};
  request.schema =
      make_schema({{"id", "BIGINT"}, {"name", "VARCHAR"}, {"ts", "TIMESTAMP WITH TIME ZONE"}});
  request.partition_by = partition_by;
  return catalog->create(request);
}

TablePtr LakeFixture::append(const TablePtr& base, std::vector<DataFile> added, Summary summary) {
  TableChange change;
  change.base = base;
  change.added = std::move(added);
  change.summary = std::move(summary);
  return catalog->commit({change}).at(0);
}

DataFile LakeFixture::named_file(const Table& table, const std::string& name,
                                 int64_t records) const {
  DataFile file;
  file.path = table.metadata.location + "/data/" + name + ".parquet";
  file.spec_id = table.metadata.default_spec_id;
  file.record_count = records;
  file.file_size_bytes = 100 * records;
  file.partition.resize(table.metadata.default_spec().fields.size());
  return file;
}

std::vector<std::string> paths_of(const std::vector<DataFile>& files) {
  std::vector<std::string> paths;
  for (const DataFile& file : files) paths.push_back(file.path);
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace headrace::lake
