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

struct Project;
struct ViewDefinition;

struct ComponentType {
  std::string name;     // as in `type: filter`
  std::string summary;  // one line
  config::FieldList fields;
  std::string example;  // YAML of a whole component, for the reference pages; may be empty
};

struct SourceComponent : ComponentType {
  // Reports whatever is wrong with the source's own fields. Pure: no I/O.
  std::function<void(const config::Node&, config::Problems&)> check;
};

// What a job's node does with the graph and with the outside. Where the settings are wrong, as much
// of it as is known.
struct NodeFacts {
  std::vector<std::string> inputs;  // names of nodes, in order
  std::string topic_read;           // empty: none
  std::string table_read;
  std::string table_written;  // not empty: a target, which has no output
};

struct NodeComponent : ComponentType {
  // Reports whatever is wrong with the node's settings. Pure: no I/O.
  std::function<NodeFacts(const config::Node&, config::Problems&)> read;
};

struct ComponentTypes {
  std::vector<NodeComponent> nodes;
  std::vector<SourceComponent> sources;
  config::FieldList view_fields;  // of a view's header, beside `table`
  std::string view_guide;         // Markdown: what its query may be made of
  std::function<void(const ViewDefinition&, config::Problems&)> check_view;  // may be empty
  // Looks at the SQL of all jobs and views together, once everything else is right; may be empty.
  std::function<void(const Project&, config::Problems&)> check_sql;
};

// nullptr when there is none of that name, which is then reported at the node's `type`.
const SourceComponent* find_source_type(const ComponentTypes& types, const std::string& name,
                                        const config::Node& node, config::Problems& problems);
const NodeComponent* find_node_type(const ComponentTypes& types, const std::string& name,
                                    const config::Node& node, config::Problems& problems);

}  // namespace headrace::project
