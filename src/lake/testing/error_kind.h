#pragma once

// What kind of Error an action throws, for tests.

#include <functional>

#include "base/error.h"

namespace headrace::lake {

// Adds a test failure when nothing, or something else, is thrown.
ErrorKind kind_thrown_by(const std::function<void()>& action);

}  // namespace headrace::lake
