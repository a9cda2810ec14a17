#pragma once

// The composition root: what the command line asks for, done with an Instance.

#include <memory>

#include "cli/host.h"

namespace headrace::app {

std::unique_ptr<cli::Host> make_host();

}  // namespace headrace::app
