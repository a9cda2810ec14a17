#pragma once

// What a project needs to know of the components that its files name: job nodes, sources and the
// header of views. The composition root makes these from the registries; this module knows none of
// them by name.

#include <functional>
#include <string>
#include <vector>

#include "config/field.h"
#include "config/node.h"
#include "config/problem.h"

namespace headrace::project {

struct ViewDefinition;

struct ComponentType {
  std::string name;     // as in `type: filter`
  std::string summary;  // one line
  config::FieldList fields;
  std::string example;  // YAML of a whole component, for the reference pages; may be empty
  // Reports whatever is wrong with the component's own fields. Pure: no I/O. May be empty.
  std::function<void(const config::Node&, config::Problems&)> check;

  // Of job nodes only.
  int min_inputs = 0;
  int max_inputs = 0;       // -1: any number
  bool is_target = false;   // has no output when it has an input: `table`
  std::string topic_field;  // the field, if any, that names a topic to read
  std::string table_field;  // the field, if any, that names a table
};

struct ComponentTypes {
  std::vector<ComponentType> nodes;
  std::vector<ComponentType> sources;
  config::FieldList view_fields;  // of a view's header, beside `table`
  std::function<void(const ViewDefinition&, config::Problems&)> check_view;  // may be empty
};

const ComponentType* find_type(const std::vector<ComponentType>& types, const std::string& name);

}  // namespace headrace::project
