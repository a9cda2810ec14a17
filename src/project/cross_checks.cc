#include "project/cross_checks.h"

#include <cctype>
#include <map>

#include "base/format.h"
#include "base/text.h"
#include "config/suggestion.h"

namespace headrace::project {

namespace {

// Names with the place where each was first used; tables differ in more than case.
class FirstUse {
 public:
  FirstUse(std::string what, config::Problems& problems)
      : what_(std::move(what)), problems_(problems) {}

  void add(const std::string& name, const config::Node& at) {
    if (name.empty()) return;
    const std::string folded = to_lower(name);
    const auto [first, fresh] = places_.emplace(folded, format("{}:{}", at.file(), at.line()));
    if (!fresh) problems_.add(at, format("{} '{}', as {} does", what_, name, first->second));
  }

 private:
  std::string what_;
  config::Problems& problems_;
  std::map<std::string, std::string> places_;
};

template <class Definitions>
void check_names(const Definitions& definitions, const std::string& what,
                 config::Problems& problems) {
  FirstUse names("declares the " + what, problems);
  for (const auto& definition : definitions) {
    names.add(definition.name, definition.node.find_or_self("name"));
  }
}

void check_tables(const Project& project, config::Problems& problems) {
  FirstUse tables("writes the table", problems);
  for (const JobDefinition& job : project.jobs) {
    for (const JobNode& node : job.nodes) {
      tables.add(node.facts.table_written, node.node.find_or_self("table"));
    }
  }
  for (const ViewDefinition& view : project.views) {
    tables.add(view.table, view.header.find_or_self("table"));
  }
}

void take_topic(Project& project, const std::string& name, const config::Node& at,
                config::Problems& problems) {
  if (name.empty() || project.find_topic(name) != nullptr) return;
  std::vector<std::string> declared;
  for (const TopicDefinition& topic : project.topics) {
    if (topic.declared) declared.push_back(topic.name);
  }
  const std::string meant = config::nearest(name, declared);
  const std::string hint = meant.empty() ? "" : format("did you mean '{}'?", meant);
  if (!project.settings.topics.auto_create) {
    problems.add(at, format("no topic '{}' is declared", name),
                 meant.empty() ? format("declare it in topics/{}.yaml", name) : hint);
    return;
  }
  problems.warn(at, format("no topic '{}' is declared: it will be created with the defaults", name),
                hint);
  TopicDefinition topic;
  topic.name = name;
  topic.declared = false;
  topic.node = at;
  project.topics.push_back(std::move(topic));
}

void check_topics(Project& project, config::Problems& problems) {
  for (const SourceDefinition& source : project.sources) {
    take_topic(project, source.topic, source.node.find_or_self("topic"), problems);
  }
  for (const JobDefinition& job : project.jobs) {
    for (const JobNode& node : job.nodes) {
      take_topic(project, node.facts.topic_read, node.node.find_or_self("topic"), problems);
    }
  }
}

}  // namespace

void check_across_files(Project& project, config::Problems& problems) {
  check_names(project.topics, "topic", problems);
  check_names(project.sources, "source", problems);
  check_names(project.jobs, "job", problems);
  check_tables(project, problems);
  check_topics(project, problems);
}

}  // namespace headrace::project
