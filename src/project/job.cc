#include "project/job.h"

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
};

Fields<NodeHead> head_fields() {
  return Fields<NodeHead>()
      .required("type", &NodeHead::type, "what the node does", config::example("filter"))
      .other_fields_allowed();
}

JobNode read_node(const std::string& name, const config::Node& at, const ComponentTypes& types,
                  config::Problems& problems) {
  JobNode node;
  node.name = name;
  node.node = at;
  if (const std::string complaint = check_name(name); !complaint.empty()) {
    problems.add_at_key(at, complaint);
  }
  node.type = head_fields().read(at, problems).type;
  if (node.type.empty()) return node;
  const NodeComponent* type = find_node_type(types, node.type, at, problems);
  if (type != nullptr && type->read) node.facts = type->read(at, problems);
  std::erase(node.facts.inputs, "");
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
  const size_t errors_before = problems.error_count();
  JobDefinition::fields().read_into(node, job, problems);
  for (const auto& declared : job.declared_nodes_) {
    job.nodes.push_back(read_node(declared.name, declared.node, types, problems));
  }
  check_inputs(job, problems);
  // What a node with an error would have done is not known: say nothing about what it leads to.
  if (!job.nodes.empty() && problems.error_count() == errors_before) check_use(job, problems);
  order_nodes(job, problems);
  return job;
}

}  // namespace headrace::project
