#pragma once

// Where the tables' files are, made from the settings: folders, S3 when the project has to do with
// it, and the cache of what is read from there.
//
// Life cycle: outlives the catalog and the databases. Thread use: any thread.

#include <memory>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "http/connections.h"
#include "iceberg_rest/iceberg_routes.h"
#include "objects/cached_reader.h"
#include "objects/s3_store.h"
#include "project/project.h"
#include "telemetry/metrics.h"

namespace headrace::app {

class Storage final : public iceberg_rest::StorageAccess {
 public:
  Storage(const project::Project& project, FileSystem& files, Clock& clock, Random& random,
          telemetry::Metrics& metrics);

  objects::ObjectStore& objects() { return *all_; }
  // nullptr when nothing is in S3.
  objects::CachedReader* reader() { return reader_.get(); }
  const std::string& warehouse() const { return warehouse_; }
  // For topics with tiered storage: gives up sooner, because they try again by themselves.
  objects::ObjectStore& topic_objects() { return *topic_objects_; }
  objects::DiskCache* cache() { return cache_.get(); }

  // Makes a local warehouse's folder; throws what is wrong with one in S3.
  void check_warehouse();

  // iceberg_rest::StorageAccess
  JsonObject properties(const std::string& location) override;
  JsonObject credentials(const std::string& location) override;

 private:
  FileSystem& files_;
  const std::string warehouse_;
  const bool vend_credentials_;
  std::unique_ptr<http::Connections> connections_;
  std::unique_ptr<objects::ObjectStore> folders_;
  std::unique_ptr<objects::S3Store> s3_;
  std::unique_ptr<objects::S3Store> topic_s3_;
  std::unique_ptr<objects::DiskCache> cache_;
  std::unique_ptr<objects::CachedReader> reader_;
  std::unique_ptr<objects::ObjectStore> all_;
  std::unique_ptr<objects::ObjectStore> topic_objects_;
};

}  // namespace headrace::app
