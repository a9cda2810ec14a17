#include "project/difference.h"

#include <map>

namespace headrace::project {

namespace {

using Contents = std::map<std::string, std::string>;  // name to everything that matters

template <class Definitions>
Contents contents_of(const Definitions& definitions) {
  Contents contents;
  for (const auto& definition : definitions) {
    contents[definition.name] = to_text(definition.node.to_json());
  }
  return contents;
}

Contents contents_of_topics(const Project& project) {
  Contents contents;
  for (const TopicDefinition& topic : project.topics) {
    contents[topic.name] = to_text(TopicDefinition::fields().to_json(topic));
  }
  return contents;
}

Contents contents_of_views(const Project& project) {
  Contents contents;
  for (const ViewDefinition& view : project.views) {
    contents[view.name] = view.sql;
  }
  return contents;
}

Changes compare_contents(const Contents& before, const Contents& after) {
  Changes changes;
  for (const auto& [name, content] : after) {
    const auto old = before.find(name);
    if (old == before.end()) {
      changes.added.push_back(name);
    } else if (old->second != content) {
      changes.changed.push_back(name);
    }
  }
  for (const auto& [name, content] : before) {
    if (!after.contains(name)) changes.removed.push_back(name);
  }
  return changes;
}

void compare_settings(const Json& before, const Json& after, const std::string& path,
                      std::vector<std::string>& out) {
  if (!before.is_object() || !after.is_object()) {
    if (before != after) out.push_back(path);
    return;
  }
  for (const auto& entry : after.get_object()) {
    const std::string name(entry.key());
    compare_settings(member(before, name), entry.value(),
                     path.empty() ? name : format("{}.{}", path, name), out);
  }
}

void append_lines(const std::string& what, const Changes& changes, std::string& out) {
  for (const std::string& name : changes.added) out += format("{} {}: added\n", what, name);
  for (const std::string& name : changes.changed) out += format("{} {}: changed\n", what, name);
  for (const std::string& name : changes.removed) out += format("{} {}: removed\n", what, name);
}

}  // namespace

bool Difference::empty() const {
  return topics.empty() && sources.empty() && jobs.empty() && views.empty() && settings.empty();
}

std::string Difference::to_text() const {
  std::string out;
  append_lines("topic", topics, out);
  append_lines("source", sources, out);
  append_lines("job", jobs, out);
  append_lines("view", views, out);
  for (const std::string& path : settings) out += format("setting {}: changed\n", path);
  return out;
}

Difference compare(const Project& before, const Project& after) {
  Difference difference;
  difference.topics = compare_contents(contents_of_topics(before), contents_of_topics(after));
  difference.sources = compare_contents(contents_of(before.sources), contents_of(after.sources));
  difference.jobs = compare_contents(contents_of(before.jobs), contents_of(after.jobs));
  difference.views = compare_contents(contents_of_views(before), contents_of_views(after));
  const auto fields = Settings::fields();
  compare_settings(fields.to_json(before.settings), fields.to_json(after.settings), "",
                   difference.settings);
  if (before.settings.server.token != after.settings.server.token) {
    std::erase(difference.settings, "server.token");
    difference.settings.emplace_back("server.token");
  }
  if (before.settings.store.url != after.settings.store.url) {
    std::erase(difference.settings, "store.url");
    difference.settings.emplace_back("store.url");
  }
  return difference;
}

}  // namespace headrace::project
