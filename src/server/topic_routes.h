#pragma once

// GET and POST /v1/topics, GET and DELETE /v1/topics/{topic}.

#include "http/worker_pool.h"
#include "server/route.h"
#include "stream/log.h"

namespace headrace::server {

// The routes refer to the log and the pool, on which topics are made and deleted (both sync files).
void add_topic_routes(Routes& routes, stream::Log& log, http::WorkerPool& pool);

}  // namespace headrace::server
