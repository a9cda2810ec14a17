#pragma once

// What a registered component looks like: a type of its own and one file each.

#include <string>
#include <vector>

#include "config/field.h"

namespace headrace::registry_example {

struct Component {
  std::string name;
  config::FieldList fields;
};

const std::vector<Component>& components();

}  // namespace headrace::registry_example
