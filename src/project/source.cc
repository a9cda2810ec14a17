#include "project/source.h"

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
  const SourceComponent* type = find_source_type(types, source.type, node, problems);
  if (type != nullptr && type->check) type->check(node, problems);
  return source;
}

}  // namespace headrace::project
