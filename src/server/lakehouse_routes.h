#pragma once

// GET /v1/status, /v1/tables, /v1/jobs, /v1/deadletters and what belongs to them; POST /v1/commit.

#include "http/worker_pool.h"
#include "server/lakehouse.h"
#include "server/route.h"

namespace headrace::server {

// The routes refer to the lakehouse and the pool, on which all of them run: they read files or
// wait.
void add_lakehouse_routes(Routes& routes, Lakehouse& lakehouse, http::WorkerPool& pool);

}  // namespace headrace::server
