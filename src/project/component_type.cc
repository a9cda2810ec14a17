#include "project/component_type.h"

#include "base/format.h"
#include "config/suggestion.h"

namespace headrace::project {

namespace {

constexpr size_t kListedTypes = 30;

template <class Type>
const Type* find(const std::vector<Type>& types, const std::string& what, const std::string& name,
                 const config::Node& node, config::Problems& problems) {
  std::vector<std::string> names;
  for (const Type& type : types) {
    if (type.name == name) return &type;
    names.push_back(type.name);
  }
  problems.add(node.find_or_self("type"), format("there is no {} type '{}'", what, name),
               config::suggest(name, names, kListedTypes));
  return nullptr;
}

}  // namespace

const SourceComponent* find_source_type(const ComponentTypes& types, const std::string& name,
                                        const config::Node& node, config::Problems& problems) {
  return find(types.sources, "source", name, node, problems);
}

const NodeComponent* find_node_type(const ComponentTypes& types, const std::string& name,
                                    const config::Node& node, config::Problems& problems) {
  return find(types.nodes, "node", name, node, problems);
}

}  // namespace headrace::project
