#pragma once

// Puts what a batch rejected into the job's dead-letter table: the reason, the record's bytes, its
// position.

#include <string>
#include <vector>

#include "base/clock.h"
#include "engine/database.h"
#include "jobs/batch.h"

namespace headrace::jobs {

// Appends to the engine table hot.`table` in the connection's transaction.
void append_dead_letters(engine::Connection& connection, const std::string& table,
                         const std::string& job, const InputBatch& batch,
                         const std::vector<Rejection>& rejections, Timestamp now);

}  // namespace headrace::jobs
