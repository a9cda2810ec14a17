#pragma once

// The checks of a job's graph.

#include "project/job.h"

namespace headrace::project {

// Reports inputs that are not there, that write a table, or that stand twice.
void check_inputs(const JobDefinition& job, config::Problems& problems);
// Reports nodes that nobody uses and a job without a target.
void check_use(const JobDefinition& job, config::Problems& problems);
// Puts each node after its inputs; reports circles.
void order_nodes(JobDefinition& job, config::Problems& problems);

}  // namespace headrace::project
