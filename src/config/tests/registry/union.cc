#include "config/tests/registry/component.h"

namespace headrace::registry_example::all::union_ {

Component describe() { return {"union", {}}; }

}  // namespace headrace::registry_example::all::union_
