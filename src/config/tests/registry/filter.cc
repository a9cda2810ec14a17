#include "config/fields.h"
#include "config/tests/registry/component.h"

namespace headrace::registry_example::all::filter {

namespace {

struct Options {
  std::string where;
};

}  // namespace

Component describe() {
  return {"filter", config::Fields<Options>()
                        .required("where", &Options::where, "condition that a row must meet")
                        .list()};
}

}  // namespace headrace::registry_example::all::filter
