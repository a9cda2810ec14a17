#pragma once

// sources/*.yaml: where records come from, and the topic they go to. What else a source has is
// known by its type only, which reads it from `node`.

#include <string>

#include "config/fields.h"
#include "project/component_type.h"

namespace headrace::project {

struct SourceDefinition {
  std::string name;  // of the file, unless given
  std::string type;
  std::string topic;
  config::Node node;

  static config::Fields<SourceDefinition> fields();
  // What the generic part reads; the component leaves it alone (Fields::read_elsewhere).
  static std::vector<std::string> generic_fields() { return {"name", "type", "topic"}; }
};

SourceDefinition read_source(const config::Node& node, const std::string& file_stem,
                             const ComponentTypes& types, config::Problems& problems);

}  // namespace headrace::project
