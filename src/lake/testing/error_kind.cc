#include "lake/testing/error_kind.h"

#include <gtest/gtest.h>

namespace headrace::lake {

ErrorKind kind_thrown_by(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::kInternal;
}

}  // namespace headrace::lake
