#pragma once

// One headrace at work on a project: everything wired together. `serve`, `run` and the commands
// that find no server running all make one, with more or less of it started.
//
// Life cycle: the constructor opens the state (an exclusive Instance holds the log's lock); start()
// begins sources, jobs and views; apply() takes up a changed project; the destructor stops
// everything, committing what is hot. Thread use: the methods of server::Lakehouse from any thread;
// the others by the owner's.

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "app/outside_commits.h"
#include "app/storage.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "base/random.h"
#include "engine/database.h"
#include "http/router.h"
#include "http/worker_pool.h"
#include "jobs/batch.h"
#include "jobs/runner.h"
#include "lake/table.h"
#include "maintenance/maintainer.h"
#include "project/difference.h"
#include "project/project.h"
#include "query/query_service.h"
#include "query/system_tables.h"
#include "server/ingest.h"
#include "server/lakehouse.h"
#include "server/route.h"
#include "server/tail.h"
#include "sources/source.h"
#include "store/metadata_store.h"
#include "stream/log.h"
#include "tables/live_tables.h"
#include "tables/positions.h"
#include "telemetry/metrics.h"
#include "views/views.h"

namespace headrace::app {

enum class Access {
  kReadOnly,   // beside whatever else runs: committed rows and topics can be read
  kExclusive,  // owns the state
};

class Instance final : public server::Lakehouse {
 public:
  Instance(project::Project project, Access access,
           query::FileAccess query_files = query::FileAccess::kRead);
  ~Instance() override;
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // Begins sources, jobs and views, each on threads of its own.
  void start();
  // Waits, for a moment at most, until the jobs' tables and the views are there, so that who comes
  // first finds them.
  void wait_until_started(milliseconds timeout);
  void stop();
  // Takes up what differs; what cannot be taken up without a restart is told in `problems` of the
  // status.
  void apply(project::Project project, const project::Difference& difference);
  // A changed file that cannot be taken up; the old project goes on.
  void report_broken_project(const std::string& reason);

  // Runs one job over what is there, to its end. not_found when there is no such job.
  Json run_job(const std::string& name, std::stop_token stop,
               const std::function<void(const jobs::RunProgress&)>& progress);

  http::Handler& handler() { return router_; }
  http::WorkerPool& workers() { return workers_; }
  telemetry::Metrics& metrics() { return *metrics_; }
  const project::Project& project() const { return project_; }

  // server::Lakehouse
  Json status() override;
  JsonArray tables() override;
  Json table(const std::string& database, const std::string& name) override;
  Json table_files(const std::string& database, const std::string& name) override;
  Json table_history(const std::string& database, const std::string& name) override;
  Json optimize_table(const std::string& database, const std::string& name,
                      const std::vector<std::string>& sort_by) override;
  Json expire_table(const std::string& database, const std::string& name, int keep,
                    milliseconds older_than, milliseconds orphans_older_than) override;
  Json roll_back_table(const std::string& database, const std::string& name,
                       int64_t snapshot_id) override;
  Json alter_table(const std::string& database, const std::string& name,
                   const Json& alteration) override;
  JsonArray jobs() override;
  Json job(const std::string& name) override;
  Json pause_job(const std::string& name) override;
  Json resume_job(const std::string& name) override;
  Json begin_job(const std::string& name) override;
  Json commit(milliseconds timeout) override;
  JsonArray dead_letters(const std::string& job, int64_t limit) override;
  Json dead_letter(const std::string& job, const std::string& topic, int partition,
                   int64_t offset) override;
  Json replay(const std::string& job, const std::string& reason_like) override;

 private:
  struct RunningJob {
    project::JobDefinition definition;
    std::unique_ptr<headrace::jobs::JobRunner> runner;
    bool is_paused = false;
  };
  struct RunningSource {
    project::SourceDefinition definition;
    std::unique_ptr<sources::Source> source;
    std::jthread thread;
  };

  headrace::jobs::Runtime runtime();
  std::unique_ptr<store::MetadataStore> open_store();
  std::unique_ptr<maintenance::Maintainer> make_maintainer();
  std::vector<query::SystemRow> maintenance_rows() const;
  void follow_catalog(std::stop_token stop);
  void add_routes();
  void register_system_tables();
  // What a person should know, in the log and in `problems` of the status.
  void tell_of_problem(const std::string& problem);
  void create_topic(const project::TopicDefinition& topic);
  // Topics that lost their local log must give no offset again that a table has read.
  void keep_offsets_of_tables();
  void skip_to(const std::string& table, const tables::Positions& positions);
  void tend_topics(std::stop_token stop);
  void add_topic_problems(JsonArray& problems) const;
  const project::JobDefinition& job_definition(const std::string& name) const;
  void start_job(const project::JobDefinition& job);
  void start_source(const project::SourceDefinition& source);
  RunningJob& running_job(const std::string& name);
  Json describe(const RunningJob& job) const;
  static std::vector<views::ViewSpec> view_specs(const project::Project& project);
  JsonArray topics() const;
  JsonArray views_status() const;
  JsonArray sources_status() const;
  std::vector<std::string> dead_letter_tables(const std::string& job) const;
  using DeadLetterRow = std::vector<std::optional<std::string>>;
  std::vector<DeadLetterRow> newest_dead_letters(const std::string& job, int64_t limit) const;
  std::vector<query::SystemRow> dead_letter_system_rows() const;

  project::Project project_;
  const Access access_;
  SystemClock clock_;
  SeededRandom random_;
  std::unique_ptr<FileSystem> files_;
  std::unique_ptr<telemetry::Metrics> metrics_;
  std::unique_ptr<store::MetadataStore> store_;
  std::optional<headrace::jobs::Sharing> sharing_;  // set when other processes use the store
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<lake::Catalog> catalog_;
  std::unique_ptr<stream::Log> log_;
  std::unique_ptr<engine::Database> database_;
  headrace::jobs::BatchBoard board_;
  std::unique_ptr<tables::LiveTables> tables_;
  std::unique_ptr<views::Views> views_;
  std::unique_ptr<OutsideCommits> outside_commits_;
  std::unique_ptr<maintenance::Maintainer> maintainer_;
  std::unique_ptr<query::QueryService> queries_;
  http::WorkerPool workers_;
  std::unique_ptr<server::Ingest> ingest_;
  std::unique_ptr<server::Tail> tail_;
  server::Routes routes_;
  http::Router router_;
  const SteadyTime started_;

  std::mutex replaying_;
  mutable std::mutex mutex_;  // of what follows, and of project_ once jobs run
  std::map<std::string, RunningJob> jobs_;
  std::map<std::string, RunningSource> sources_;
  std::vector<std::string> problems_;
  std::string broken_project_;
  std::jthread upkeep_;  // retention, gauges
  std::jthread tiers_;   // uploads segments, opens broken partitions again
  std::jthread follow_;  // takes up what others commit
};

}  // namespace headrace::app
