#include "project/source.h"

#include "config/suggestion.h"
#include "project/names.h"

namespace headrace::project {

config::Fields<SourceDefinition> SourceDefinition::fields() {
  return config::Fields<SourceDefinition>()
      .optional("name", &SourceDefinition::name, "the file's name unless given",
                config::check(check_name))
      .required("type", &SourceDefinition::type, "what kind of source it is",
                config::example("files"))
      .required("topic", &SourceDefinition::topic, "where its records go",
                config::example("orders"), config::check(check_topic_name))
      .other_fields_allowed();
}

SourceDefinition read_source(const config::Node& node, const std::string& file_stem,
                             const ComponentTypes& types, config::Problems& problems) {
  SourceDefinition source;
  source.name = file_stem;
  source.node = node;
  SourceDefinition::fields().read_into(node, source, problems);
  if (source.type.empty()) return source;
  const ComponentType* type = find_type(types.sources, source.type);
  if (type == nullptr) {
    std::vector<std::string> names;
    for (const ComponentType& known : types.sources) names.push_back(known.name);
    problems.add(node.find_or_self("type"), format("there is no source type '{}'", source.type),
                 config::suggest(source.type, names));
  } else if (type->check) {
    type->check(node, problems);
  }
  return source;
}

}  // namespace headrace::project
