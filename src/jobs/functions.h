#pragma once

// What jobs add to the engine's SQL:
//   headrace_records(job, topic)   the records of the job's current batch, with lineage
//   headrace_parse(job, spec)      the same, parsed into columns; rejects what does not parse
//   headrace_accept(job, node, topic, partition, offset, reason, row)
//                                  true when reason is NULL; else rejects the record and is false

#include "engine/database.h"
#include "jobs/batch.h"

namespace headrace::jobs {

// `database` and `board` must outlive every query.
void register_functions(engine::Database& database, BatchBoard& board);

}  // namespace headrace::jobs
