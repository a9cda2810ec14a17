#pragma once

// `headrace serve`: an instance behind the HTTP server, until SIGINT or SIGTERM; changed files of
// the project are taken up while it runs.

#include "base/file_system.h"
#include "cli/host.h"
#include "project/project.h"

namespace headrace::app {

// Returns the exit code.
int serve(FileSystem& files, project::Project project, const cli::ServeOptions& options);

}  // namespace headrace::app
