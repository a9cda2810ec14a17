#include "project/component_type.h"

namespace headrace::project {

const ComponentType* find_type(const std::vector<ComponentType>& types, const std::string& name) {
  for (const ComponentType& type : types) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

}  // namespace headrace::project
