#pragma once

// The Iceberg REST catalog over HTTP, under /iceberg (specification: rest-catalog-open-api.yaml of
// Apache Iceberg; what clients really send: README.md).

#include <string>

#include "http/worker_pool.h"
#include "iceberg_rest/outside_changes.h"
#include "lake/open_catalog.h"
#include "server/route.h"
#include "telemetry/metrics.h"

namespace headrace::iceberg_rest {

// What clients need to get at files in S3 by themselves.
class StorageAccess {
 public:
  virtual ~StorageAccess() = default;
  // Endpoint, region and address style, by the names of clients' settings; empty for local files.
  virtual JsonObject properties(const std::string& location) = 0;
  // Keys, likewise; empty when none are given out.
  virtual JsonObject credentials(const std::string& location) = 0;
};

struct Catalogs {
  lake::Catalog& tables;
  lake::OpenCatalog& open;
  OutsideChanges& changes;
  telemetry::Metrics& metrics;
  StorageAccess* storage = nullptr;  // none: all files are local
};

// Where a client gets its token; it must be open to those who have none yet.
inline constexpr const char* kTokenPath = "/iceberg/v1/oauth/tokens";

// `token`: the server's; empty when it asks for none. The routes refer to all they are given and
// run on the pool.
void add_iceberg_routes(server::Routes& routes, const Catalogs& catalogs, http::WorkerPool& pool,
                        const std::string& token);

}  // namespace headrace::iceberg_rest
