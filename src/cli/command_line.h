#pragma once

// The headrace command line.
//
// Errors are printed as `headrace: message` on standard error; the exit code follows the kind of
// the error (base/error.h; `headrace help exit-codes` lists them).

#include <string>
#include <vector>

#include "cli/console.h"
#include "cli/host.h"

namespace headrace::cli {

// What main() calls: ignores SIGPIPE, works on the process's standard streams.
int run_command_line(int argc, char** argv, Host& host);

// The same without the process around it; `arguments` are those after the program's name.
int run_command_line(const std::vector<std::string>& arguments, Host& host, Console& console);

}  // namespace headrace::cli
