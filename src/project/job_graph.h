#pragma once

// The checks of a job's graph.

#include "project/job.h"

namespace headrace::project {

void check_input_count(const JobNode& node, const ComponentType& type, config::Problems& problems);

// Reports unknown inputs, cycles, nodes that nobody uses and a job without a target; puts the nodes
// in an order in which each comes after its inputs.
void check_graph(JobDefinition& job, config::Problems& problems);

}  // namespace headrace::project
