#pragma once

// POST /v1/query, GET /v1/queries, DELETE /v1/queries/{id}.

#include "http/worker_pool.h"
#include "query/query_service.h"
#include "server/route.h"

namespace headrace::server {

struct QueryLimits {
  milliseconds timeout{300'000};  // default and most
  int64_t max_rows = 1'000'000;   // likewise
};

// The routes refer to the service and the pool, on which queries run.
void add_query_routes(Routes& routes, query::QueryService& service, http::WorkerPool& pool,
                      const QueryLimits& limits);

}  // namespace headrace::server
