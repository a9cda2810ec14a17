#include "app/component_binding.h"

#include "app/sql_check.h"
#include "base/error.h"
#include "jobs/node_type.h"
#include "sources/source_type.h"
#include "views/view_guide.h"
#include "views/view_settings.h"
#include "views/views.h"

namespace headrace::app {
namespace {

project::NodeFacts facts_of(const jobs::Node& node, bool is_right) {
  project::NodeFacts facts;
  facts.inputs = node.inputs();
  if (!is_right) return facts;  // what it reads and writes may not even be a name
  if (const auto source = node.source()) {
    if (source->kind == jobs::SourceNeed::Kind::kTopic) facts.topic_read = source->topic;
    if (source->kind == jobs::SourceNeed::Kind::kTable)
      facts.table_read = source->table.to_string();
  }
  if (const auto target = node.target()) facts.table_written = target->table.to_string();
  return facts;
}

// What every kind of component tells of itself.
template <class Component, class Type>
Component described_as(const Type& type) {
  Component component;
  component.name = type.name;
  component.summary = type.summary;
  component.fields = type.fields;
  component.example = type.example;
  return component;
}

project::NodeComponent to_component(const jobs::NodeType& type) {
  auto component = described_as<project::NodeComponent>(type);
  component.read = [&type](const config::Node& node, config::Problems& problems) {
    const size_t before = problems.error_count();
    const auto read = type.read(node, problems);
    return facts_of(*read, problems.error_count() == before);
  };
  return component;
}

project::SourceComponent to_component(const sources::SourceType& type) {
  auto component = described_as<project::SourceComponent>(type);
  component.check = [&type](const config::Node& node, config::Problems& problems) {
    type.read(node, problems);
  };
  return component;
}

config::Fields<views::ViewSettings> view_settings() {
  return views::ViewSettings::fields().read_elsewhere(project::ViewDefinition::generic_fields());
}

void check_view(const project::ViewDefinition& view, config::Problems& problems) {
  const views::ViewSettings settings = view_settings().read(view.header, problems);
  // An engine of its own: checks run without a project's state. It is made when there is a view to
  // check, and never ended: what the engine keeps for a thread is gone when statics are destroyed,
  // and an engine that ends then writes to freed memory.
  static engine::Database& database = *new engine::Database([] {
    engine::DatabaseOptions options;
    options.threads = 1;
    return options;
  }());
  try {
    views::check_view(database, view.sql, settings.closing());
  } catch (const Error& error) {
    add_sql_problem(view, error.message(), problems);
  }
}

}  // namespace

const project::ComponentTypes& quick_component_types() {
  static const project::ComponentTypes types = [] {
    project::ComponentTypes all;
    for (const jobs::NodeType& type : jobs::node_types()) all.nodes.push_back(to_component(type));
    for (const sources::SourceType& type : sources::source_types())
      all.sources.push_back(to_component(type));
    all.view_fields = views::ViewSettings::fields().list();
    all.view_guide = views::view_guide();
    return all;
  }();
  return types;
}

const project::ComponentTypes& component_types() {
  static const project::ComponentTypes types = [] {
    project::ComponentTypes all = quick_component_types();
    all.check_view = check_view;
    all.check_sql = check_sql;
    return all;
  }();
  return types;
}

views::ViewSpec to_view_spec(const project::ViewDefinition& view) {
  config::Problems problems;
  const views::ViewSettings settings = view_settings().read(view.header, problems);
  problems.throw_if_errors("view " + view.name);
  return {view.name, jobs::parse_table_name(view.table), view.sql, settings.partition_by,
          settings.closing()};
}

jobs::JobSpec to_job_spec(const project::JobDefinition& job) {
  jobs::JobSpec spec;
  spec.name = job.name;
  spec.is_streaming = job.mode == project::JobMode::kStreaming;
  spec.batch_records = job.batch.records;
  spec.batch_wait = job.batch.wait;
  for (const project::JobNode& node : job.nodes)
    spec.nodes.push_back({node.name, node.type, node.node});
  return spec;
}

query::FileAccess to_file_access(project::QueryFileAccess setting,
                                 const project::ListenAddress& listen) {
  switch (setting) {
    case project::QueryFileAccess::kNone:
      return query::FileAccess::kNone;
    case project::QueryFileAccess::kRead:
      return query::FileAccess::kRead;
    case project::QueryFileAccess::kAuto:
      break;
  }
  return listen.is_loopback() ? query::FileAccess::kRead : query::FileAccess::kNone;
}

telemetry::LogLevel to_log_level(project::LogLevel level) {
  switch (level) {
    case project::LogLevel::kDebug:
      return telemetry::LogLevel::kDebug;
    case project::LogLevel::kInfo:
      return telemetry::LogLevel::kInfo;
    case project::LogLevel::kWarning:
      return telemetry::LogLevel::kWarning;
    case project::LogLevel::kError:
      break;
  }
  return telemetry::LogLevel::kError;
}

}  // namespace headrace::app
