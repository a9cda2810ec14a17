#include "project/job.h"

#include "config/suggestion.h"
#include "project/job_graph.h"
#include "project/names.h"

namespace headrace::project {

using config::at_least;
using config::at_most;
using config::Fields;

namespace {

constexpr size_t kMostNodes = 500;

// The part of a node that all types share.
struct NodeHead {
  std::string type;
  std::string input;
  std::vector<std::string> inputs;
};

Fields<NodeHead> head_fields() {
  return Fields<NodeHead>()
      .required("type", &NodeHead::type, "what the node does", config::example("filter"))
      .optional("input", &NodeHead::input, "the node whose rows it takes")
      .optional("inputs", &NodeHead::inputs, "the nodes whose rows it takes")
      .at_most_one_of({"input", "inputs"})
      .other_fields_allowed();
}

std::string text_of(const config::Node& node, const std::string& field) {
  const auto found = field.empty() ? std::nullopt : node.find(field);
  return found && found->is_scalar() ? found->text() : "";
}

void take_type(JobNode& node, const ComponentTypes& types, config::Problems& problems) {
  const ComponentType* type = find_type(types.nodes, node.type);
  if (type == nullptr) {
    std::vector<std::string> names;
    for (const ComponentType& known : types.nodes) names.push_back(known.name);
    problems.add(node.node.find_or_self("type"), format("there is no node type '{}'", node.type),
                 config::suggest(node.type, names, 30));
    return;
  }
  node.is_target = type->is_target && !node.inputs.empty();
  node.topic = text_of(node.node, type->topic_field);
  node.table = text_of(node.node, type->table_field);
  check_input_count(node, *type, problems);
  if (type->check) type->check(node.node, problems);
}

JobNode read_node(const std::string& name, const config::Node& at, const ComponentTypes& types,
                  config::Problems& problems) {
  JobNode node;
  node.name = name;
  node.node = at;
  if (const std::string complaint = check_name(name); !complaint.empty()) {
    problems.add_at_key(at, complaint);
  }
  NodeHead head = head_fields().read(at, problems);
  node.type = head.type;
  node.inputs = std::move(head.inputs);
  if (!head.input.empty()) node.inputs = {head.input};
  if (!node.type.empty()) take_type(node, types, problems);
  return node;
}

}  // namespace

config::Choices<JobMode> choices_of(JobMode) {
  return {{"streaming", JobMode::kStreaming, "runs until it is stopped, in micro-batches"},
          {"batch", JobMode::kBatch, "runs once over what is new, and ends"}};
}

Fields<BatchSettings> BatchSettings::fields() {
  return Fields<BatchSettings>()
      .optional("records", &BatchSettings::records,
                "a micro-batch is processed at this many records", config::unit("records"),
                at_least(1), at_most(10'000'000))
      .optional("wait", &BatchSettings::wait, "or this long after its first record",
                at_least(std::chrono::milliseconds(0)), at_most(std::chrono::minutes(10)));
}

Fields<JobDefinition> JobDefinition::fields() {
  return Fields<JobDefinition>()
      .optional("name", &JobDefinition::name, "the file's name unless given",
                config::check(check_name))
      .optional("mode", &JobDefinition::mode, "how it runs")
      .optional("batch", &JobDefinition::batch, "how many records are taken at once")
      .required("nodes", &JobDefinition::declared_nodes_,
                "the graph: name to node; each has a `type` and takes its rows from `input` or "
                "`inputs`",
                config::not_empty(), config::check([](const auto& nodes) -> std::string {
                  if (nodes.size() <= kMostNodes) return "";
                  return format("has {} nodes, more than the {} of a job", nodes.size(),
                                kMostNodes);
                }));
}

const JobNode* JobDefinition::find(const std::string& node_name) const {
  for (const JobNode& candidate : nodes) {
    if (candidate.name == node_name) return &candidate;
  }
  return nullptr;
}

JobDefinition read_job(const config::Node& node, const std::string& file_stem,
                       const ComponentTypes& types, config::Problems& problems) {
  JobDefinition job;
  job.name = file_stem;
  job.node = node;
  JobDefinition::fields().read_into(node, job, problems);
  for (const auto& declared : job.declared_nodes_) {
    job.nodes.push_back(read_node(declared.name, declared.node, types, problems));
  }
  if (!job.nodes.empty()) check_graph(job, problems);
  return job;
}

}  // namespace headrace::project
