#pragma once

// Runs a job's SQL over one batch, in one engine transaction: rows into the hot tables of the
// targets, what was rejected into that of the dead letters. When records bring fields that have no
// column yet, the columns grow and the batch is run again. When the SQL itself fails on the data,
// it looks for the record at fault by halves, and that record becomes a dead letter. Used by the
// job's thread.

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "engine/database.h"
#include "jobs/batch.h"
#include "jobs/compiler.h"
#include "jobs/input.h"
#include "jobs/writer.h"
#include "tables/live_tables.h"

namespace headrace::jobs {

class BatchRunner {
 public:
  struct Collaborators {
    engine::Connection& connection;  // the job's own
    tables::LiveTables& tables;
    BatchBoard& board;
    Clock& clock;
    JobWriter& writer;
    // Makes the columns of the job grow with what a batch brings.
    std::function<void(const InputBatch&)> grow;
  };
  BatchRunner(const Collaborators& collaborators, const CompiledJob& job);

  // Returns the number of dead letters. Throws what is not the data's fault.
  int64_t run(const Work& work);

 private:
  int64_t run_whole(const Work& work);
  int64_t run_once(const Work& work);
  int64_t isolate(const Work& work, const Error& error);
  int64_t bury(const Work& work, const Error& error);
  int64_t append_rejections(InputBatch& batch);
  template <class Body>
  void in_transaction(Body body);

  Collaborators with_;
  const CompiledJob& job_;
};

}  // namespace headrace::jobs
