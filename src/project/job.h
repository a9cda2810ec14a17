#pragma once

// jobs/*.yaml: a graph of named nodes. What a node does is known by its type only, which reads its
// fields from `node`.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "config/fields.h"
#include "project/component_type.h"

namespace headrace::project {

enum class JobMode { kStreaming, kBatch };
config::Choices<JobMode> choices_of(JobMode mode);

// A micro-batch ends at so many records or after so long, whichever comes first.
struct BatchSettings {
  int64_t records = 50'000;
  std::chrono::milliseconds wait{50};

  static config::Fields<BatchSettings> fields();
};

struct JobNode {
  std::string name;
  std::string type;
  NodeFacts facts;  // inputs, and what it reads or writes
  config::Node node;

  bool is_target() const { return !facts.table_written.empty(); }
  // What the generic part reads; the component leaves it alone (Fields::read_elsewhere).
  static std::vector<std::string> generic_fields() { return {"type"}; }
};

struct JobDefinition {
  std::string name;  // of the file, unless given
  JobMode mode = JobMode::kStreaming;
  BatchSettings batch;
  std::vector<JobNode> nodes;  // each after its inputs; else in the order of the file
  config::Node node;

  const JobNode* find(const std::string& node_name) const;
  static config::Fields<JobDefinition> fields();

 private:
  friend JobDefinition read_job(const config::Node&, const std::string&, const ComponentTypes&,
                                config::Problems&);
  config::OrderedMap<config::Node> declared_nodes_;
};

// Reads a job and checks its graph: unknown inputs, cycles, nodes that nobody uses, no target.
JobDefinition read_job(const config::Node& node, const std::string& file_stem,
                       const ComponentTypes& types, config::Problems& problems);

}  // namespace headrace::project
