#pragma once

// `headrace run` while a server runs: the server owns the state, so it does the work.

#include "base/json.h"
#include "cli/host.h"
#include "http/client.h"

namespace headrace::app {

// Begins the job, follows it to its end and gives the summary of Host::run_job. A stop pauses the
// job: what it has taken in is committed.
Json run_in_server(http::Client& server, const cli::RunOptions& options);

}  // namespace headrace::app
