#pragma once

// One life of a job, from its committed positions to a stop or a failure: opens the tables, takes
// batches, seals and commits. Destroying it drops the hot rows that were not committed; the next
// one makes them again. A job whose columns are found in the data begins once the data have brought
// all that its nodes name. Used by one thread; the commits run on another, which it owns.

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "jobs/batch_runner.h"
#include "jobs/committer.h"
#include "jobs/compiler.h"
#include "jobs/input.h"
#include "jobs/job_spec.h"
#include "jobs/runtime.h"
#include "jobs/static_inputs.h"
#include "jobs/writer.h"
#include "tables/positions.h"

namespace headrace::jobs {

// Told what happens. committed() comes from the committing thread, one for each sealed().
class SessionReport {
 public:
  virtual ~SessionReport() = default;
  // What the job waits for before it can begin; empty: it has begun.
  virtual void waits_for(const std::string& what) = 0;
  virtual void stands_at(const std::string& positions, int64_t lag) = 0;
  virtual void batch_done(int64_t records, int64_t dead_letters, int64_t hot_records) = 0;
  virtual void sealed() = 0;
  virtual void committed() = 0;
  virtual void nothing_to_commit() = 0;
  // Whether somebody wants what is hot to be sealed and committed.
  virtual bool is_commit_wanted() = 0;
  // Stopped as soon as somebody does: who waits for records then waits no longer.
  virtual std::stop_token commit_wanted() = 0;
  // What is wrong although the job goes on; empty when nothing is.
  virtual void complains(const std::string& complaint) = 0;
};

class Session final : public InputLoader {
 public:
  // With a lease, what is committed is guarded by it.
  Session(const JobSpec& spec, const Runtime& runtime, SessionReport& report,
          const std::optional<store::Lease>& lease);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Works until `stop`; with `to_end`, until nothing is left. What is hot then is committed.
  void run(std::stop_token stop, bool to_end);

  // InputLoader
  void load_static(const CompiledInput& input) override;
  void show_driving(const CompiledInput& input) override;
  void check_records(const CompiledInput& input) override;

 private:
  void open();
  bool is_open() const { return committer_.has_value(); }
  bool try_open();
  bool look_ahead(std::stop_token stop, bool to_end);
  void grow(const InputBatch& batch);
  lake::TablePtr input_table(const CompiledInput& input) const;
  std::unique_ptr<JobInput> make_input(const CompiledJob& job);
  void choose_start(const tables::Positions& start);
  bool step(std::stop_token stop, bool may_wait);
  std::optional<Work> next_work(const std::stop_token& stop, bool may_wait);
  void process(const Work& work);
  void seal_if_due();
  void seal();
  void seal_and_wait();
  void committed(const SealedWork& work);
  void tell_of_tables(const std::vector<size_t>& targets);

  const JobSpec& spec_;
  Runtime runtime_;
  SessionReport& report_;
  std::unique_ptr<engine::Connection> connection_;
  StaticInputs statics_;
  const std::optional<store::Lease> lease_;
  const CompiledJob sources_;
  FoundFields found_;
  std::string waits_for_;  // why it could not be opened yet
  CompiledJob job_;
  std::unique_ptr<JobInput> input_;
  std::optional<JobWriter> writer_;
  std::optional<BatchRunner> batches_;
  std::optional<Committer> committer_;
  tables::Positions at_;
  std::optional<tables::Positions> bound_;  // up to which lagging targets work alone
  int64_t hot_bytes_ = 0;
  int64_t hot_records_ = 0;
  SteadyTime last_seal_;
};

}  // namespace headrace::jobs
