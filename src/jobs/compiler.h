#pragma once

// Turns a job's graph into SQL.
//
// Every node becomes a common table expression named like the node. A node that several others use
// becomes a temporary table of the batch, so that it is computed, and rejects records, once. Static
// inputs (files, tables on the right of a join) are engine tables in the schema `static`, loaded
// before the first batch and again when they change. A target fed straight from a topic is *raw*:
// it takes the records as they are and needs no SQL.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/database.h"
#include "jobs/job_spec.h"
#include "jobs/node_type.h"

namespace headrace::jobs {

struct CompiledTarget {
  std::string node;
  TargetNeed need;
  std::vector<engine::Column> columns;
  std::string select;     // the rows, columns in order; empty for a raw target
  std::string raw_topic;  // of a raw target
  // Of an upsert target: `select` gives tables::kDeletedColumn, too, and what orders changes here.
  std::vector<std::string> latest_first = {};

  bool is_upsert() const { return !need.upsert.primary_key.empty(); }
  // Rows of its own, not a topic's records and no dead letters.
  bool holds_found_fields() const { return !node.empty() && raw_topic.empty(); }
};

// A parse node whose columns are found in the records of a topic.
struct InferringNode {
  std::string node;
  std::string topic;
  InferenceNeed need;
};

struct CompiledInput {
  std::string node;
  SourceNeed need;
};

struct CompiledJob {
  std::string name;
  std::vector<CompiledInput> driving;  // topics, or one table, or one set of files
  std::vector<CompiledInput> statics;
  std::vector<std::string> shared_tables;  // CREATE OR REPLACE TEMP TABLE … of each batch, in order
  std::vector<CompiledTarget> targets;
  std::vector<InferringNode> inferring;
  FoundFields found = {};
  bool is_provisional =
      false;  // a node reads a table that is not there yet: compile again when it is

  bool is_driven_by_records() const {
    return !driving.empty() && (driving.front().need.kind == SourceNeed::Kind::kTopic ||
                                driving.front().need.as_records);
  }
};

// The engine tables of a job's inputs.
std::string static_table_name(const std::string& job, const std::string& node);
std::string driving_view_name(const std::string& job, const std::string& node);

// What loads a job's inputs into the engine while it is compiled, so that their columns are known.
class InputLoader {
 public:
  virtual ~InputLoader() = default;
  virtual void load_static(const CompiledInput& input) = 0;
  virtual void show_driving(const CompiledInput& input) = 0;  // with no rows
  // Throws invalid when the table does not hold a topic's records.
  virtual void check_records(const CompiledInput& input) = 0;
};

// Binds every node on `connection`, which must be the job's own (its temporary tables are used).
// Throws Error invalid naming the node and what is wrong with it.
// `found`: the columns of all nodes that infer them.
CompiledJob compile_job(const JobSpec& spec, engine::Connection& connection, InputLoader& loader,
                        const FoundFields& found);
// Its topics and the nodes that infer columns from them, before these are known. Nothing is bound.
CompiledJob compile_sources(const JobSpec& spec);
// The tables that it writes rows of its own to, by the node that they come from.
std::vector<std::pair<std::string, lake::TableIdentifier>> row_targets(const JobSpec& spec);

}  // namespace headrace::jobs
