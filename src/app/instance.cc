#include "app/instance.h"

#include <array>
#include <filesystem>

#include <unistd.h>

#include "app/component_binding.h"
#include "app/version.h"
#include "base/error.h"
#include "config/problem.h"
#include "iceberg_rest/iceberg_routes.h"
#include "jobs/functions.h"
#include "lake/delete_function.h"
#include "lake/object_files.h"
#include "lake/open_catalog.h"
#include "lake/transform.h"
#include "server/lakehouse_routes.h"
#include "server/query_routes.h"
#include "server/topic_routes.h"
#include "sources/source_type.h"
#include "tables/topic_scan.h"
#include "telemetry/log.h"

namespace headrace::app {
namespace {

constexpr std::chrono::seconds kUpkeepInterval{30};

constexpr std::chrono::seconds kFollowInterval{1};

std::string directory_in(const project::Project& project, const char* name) {
  return (std::filesystem::absolute(project.storage_path()) / name).string();
}

engine::DatabaseOptions engine_options(const project::Project& project) {
  engine::DatabaseOptions options;
  options.memory_limit = format("{}B", project.settings.engine.memory.count);
  options.threads = project.settings.engine.threads;
  options.temporary_directory = directory_in(project, "tmp");
  return options;
}

// Unique, and says to people where to look.
std::string process_name(Random& random) {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return format("{}:{}:{}", host.data(), ::getpid(), make_uuid(random));
}

// Made at the first start; the caller holds the folder's lock.
std::string identity_of(FileSystem& files, const std::string& path, Random& random) {
  if (files.exists(path)) return files.read(path);
  std::string identity = make_uuid(random);
  files.write_atomically(path, identity);
  return identity;
}

}  // namespace

Instance::Instance(project::Project project, Access access, query::FileAccess query_files)
    : project_(std::move(project)),
      access_(access),
      files_(make_posix_file_system()),
      metrics_(telemetry::make_metrics()),
      workers_({"queries", 8, 256}, *metrics_),
      started_(clock_.steady_now()) {
  for (const char* name : {"streams", "tmp"}) {
    files_->create_directories(directory_in(project_, name));
  }
  storage_ = std::make_unique<Storage>(project_, *files_, clock_, random_, *metrics_);
  storage_->check_warehouse();
  stream::LogOptions log_options;
  log_options.read_only = access == Access::kReadOnly;
  log_options.objects = &storage_->topic_objects();
  log_options.cache = storage_->cache();
  log_ =
      stream::Log::open(directory_in(project_, "streams"), *files_, clock_, *metrics_, log_options);
  store_ = open_store();
  lake::CatalogOptions catalog_options;
  catalog_options.warehouse = storage_->warehouse();
  catalog_options.staging = directory_in(project_, "staging");
  catalog_options.removes_in_background = true;
  catalog_options.on_expired = [this](const lake::TableIdentifier& table, size_t snapshots,
                                      size_t files) {
    if (maintainer_ != nullptr) maintainer_->expired(table, snapshots, files);
  };
  // What was on its way when the last process ended belongs to no commit; the lock of the log is
  // held by now.
  if (access == Access::kExclusive) files_->remove_all(catalog_options.staging);
  catalog_ =
      lake::Catalog::open(*store_, *files_, storage_->objects(), clock_, random_, catalog_options);
  database_ = std::make_unique<engine::Database>(engine_options(project_));
  database_->register_function(tables::make_topic_function(*log_));
  headrace::jobs::register_functions(*database_, board_);
  lake::register_transform_functions(*database_);
  lake::register_delete_function(*database_);
  if (storage_->reader() != nullptr) {
    lake::register_object_files(*database_, *storage_->reader());
  }
  tables_ = std::make_unique<tables::LiveTables>(tables::LiveTables::Collaborators{
      *database_, *catalog_, *files_, random_, log_.get(), directory_in(project_, "keys")});
  tables_->load_all();
  views_ = std::make_unique<views::Views>(views::Views::Collaborators{
      *database_, *catalog_, *tables_, *files_, random_, clock_, *metrics_});
  if (access == Access::kReadOnly) views_->show(view_specs(project_));
  outside_commits_ = std::make_unique<OutsideCommits>(*tables_, *views_);
  maintainer_ = make_maintainer();
  register_system_tables();
  queries_ = std::make_unique<query::QueryService>(
      *database_, clock_, random_, *metrics_,
      query::QueryOptions{directory_in(project_, "tmp"), query_files, catalog_.get()});
  add_routes();
  if (access == Access::kExclusive) {
    for (const project::TopicDefinition& topic : project_.topics) create_topic(topic);
    keep_offsets_of_tables();
  }
}

Instance::~Instance() { stop(); }

// SQLite is guarded by the lock of the log, which stands in the same folder; over PostgreSQL
// processes with folders of their own share tables, and leases say who runs which job.
std::unique_ptr<store::MetadataStore> Instance::open_store() {
  const project::StoreSettings& settings = project_.settings.store;
  if (settings.type == project::StoreType::kSqlite) {
    return store::open_sqlite_store(directory_in(project_, "metadata.db"));
  }
  store::PostgresOptions options;
  options.url = settings.url.reveal();
  options.schema = settings.schema;
  options.on_retry = [](std::string_view doing, const std::string& why) {
    telemetry::log_warning("app", "the metadata store does not answer, trying again",
                           {{"while", doing}, {"reason", why}});
  };
  auto store = store::open_postgres_store(options, clock_);
  if (access_ == Access::kExclusive) {
    sharing_.emplace(
        headrace::jobs::Sharing{*store, process_name(random_),
                                identity_of(*files_, directory_in(project_, "identity"), random_)});
  }
  return store;
}

void Instance::follow_catalog(std::stop_token stop) {
  while (clock_.sleep_for(kFollowInterval, stop)) {
    try {
      const std::vector<lake::TableIdentifier> changed = tables_->refresh_changed();
      if (!changed.empty()) views_->source_committed(changed);
    } catch (const std::exception& error) {
      telemetry::log_warning("app", "commits of others could not be taken up",
                             {{"reason", error.what()}});
    }
  }
}

void Instance::add_routes() {
  ingest_ = std::make_unique<server::Ingest>(*log_, clock_, *metrics_);
  tail_ = std::make_unique<server::Tail>(*log_, workers_);
  routes_.add(ingest_->route());
  routes_.add(tail_->route());
  server::add_topic_routes(routes_, *log_, workers_);
  server::add_query_routes(
      routes_, *queries_, workers_,
      {project_.settings.server.query_timeout, project_.settings.server.query_max_rows});
  server::add_lakehouse_routes(routes_, *this, workers_);
  iceberg_rest::add_iceberg_routes(
      routes_, {*catalog_, catalog_->open_side(), *outside_commits_, *metrics_, storage_.get()},
      workers_, project_.settings.server.token.reveal());
  routes_.add({{.method = "GET",
                .pattern = "/metrics",
                .operation = "getMetrics",
                .group = "status",
                .summary = "Metrics in Prometheus's text format",
                .response = {{"text/plain", JsonObject{{"type", "string"}}}}},
               [this](const http::Request&, const http::Responder& respond) {
                 respond(http::text_response(200, metrics_->expose(), "text/plain; version=0.0.4"));
               }});
  routes_.add({{.method = "GET",
                .pattern = "/healthz",
                .operation = "getHealth",
                .group = "status",
                .summary = "Answers 200 while the server runs; needs no token",
                .response = {{"text/plain", JsonObject{{"type", "string"}}}}},
               [](const http::Request&, const http::Responder& respond) {
                 respond(http::text_response(200, "ok\n"));
               }});
  routes_.add_openapi(std::string(kVersion));
  routes_.install(router_);
}

headrace::jobs::Runtime Instance::runtime() {
  return {*database_,
          *catalog_,
          *tables_,
          *log_,
          board_,
          *files_,
          clock_,
          random_,
          *metrics_,
          std::filesystem::absolute(project_.directory).string(),
          project_.settings.commit.rows_bytes.count,
          project_.settings.commit.interval,
          [this](const std::vector<lake::TableIdentifier>& tables) {
            views_->source_committed(tables);
          },
          sharing_};
}

std::vector<views::ViewSpec> Instance::view_specs(const project::Project& project) {
  std::vector<views::ViewSpec> specs;
  for (const project::ViewDefinition& view : project.views) specs.push_back(to_view_spec(view));
  return specs;
}

void Instance::create_topic(const project::TopicDefinition& topic) {
  stream::Topic* existing = log_->find_topic(topic.name);
  if (existing == nullptr) {
    log_->create_topic(topic.name, topic.to_topic_config());
    telemetry::log_info("app", "topic created",
                        {{"topic", topic.name}, {"partitions", topic.partitions}});
  } else if (topic.declared) {
    stream::TopicConfig config = topic.to_topic_config();
    if (config.partitions < existing->partition_count()) {
      tell_of_problem(format(
          "topic {} keeps its {} partitions, though topics/ declares {}: they hold records and "
          "cannot become fewer",
          topic.name, existing->partition_count(), config.partitions));
      config.partitions = existing->partition_count();
    }
    log_->alter_topic(topic.name, config);
  }
}

void Instance::start() {
  views_->set(view_specs(project_));
  for (const project::JobDefinition& job : project_.jobs) {
    // A job in batch mode runs when it is asked to.
    if (job.mode == project::JobMode::kStreaming) start_job(job);
  }
  for (const project::SourceDefinition& source : project_.sources) start_source(source);
  if (project_.settings.maintenance.enabled) maintainer_->start();
  follow_ = std::jthread([this](std::stop_token stop) { follow_catalog(std::move(stop)); });
  tiers_ = std::jthread([this](std::stop_token stop) { tend_topics(std::move(stop)); });
  upkeep_ = std::jthread([this](std::stop_token stop) {
    while (clock_.sleep_for(kUpkeepInterval, stop)) {
      try {
        log_->apply_retention();
      } catch (const std::exception& error) {
        telemetry::log_warning("app", "retention failed", {{"reason", error.what()}});
      }
    }
  });
}

void Instance::wait_until_started(milliseconds timeout) {
  const SteadyTime deadline = clock_.steady_now() + timeout;
  const auto left = [&] {
    return std::max(milliseconds(0),
                    std::chrono::duration_cast<milliseconds>(deadline - clock_.steady_now()));
  };
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, job] : jobs_) job.runner->wait_until_started(left());
  }
  if (!project_.views.empty()) views_->wait_until_current(left());
}

void Instance::stop() {
  upkeep_ = {};
  tiers_ = {};
  follow_ = {};
  if (maintainer_) maintainer_->stop();
  std::map<std::string, RunningSource> sources;
  std::map<std::string, RunningJob> jobs;
  {
    std::lock_guard lock(mutex_);
    sources.swap(sources_);
    jobs.swap(jobs_);
  }
  for (auto& [name, source] : sources) source.thread.request_stop();
  sources.clear();
  for (auto& [name, job] : jobs) job.runner->stop();
  if (access_ == Access::kExclusive) views_->wait_until_current(std::chrono::seconds(30));
}

void Instance::start_job(const project::JobDefinition& job) {
  RunningJob running{job, std::make_unique<headrace::jobs::JobRunner>(to_job_spec(job), runtime()),
                     false};
  running.runner->start();
  std::lock_guard lock(mutex_);
  jobs_[job.name] = std::move(running);
}

void Instance::start_source(const project::SourceDefinition& definition) {
  const sources::SourceType* type = sources::find_source_type(definition.type);
  if (type == nullptr) fail(ErrorKind::kInternal, "there is no source type '{}'", definition.type);
  config::Problems problems;
  const sources::BuildSource build = type->read(definition.node, problems);
  problems.throw_if_errors("source " + definition.name);
  RunningSource running;
  running.definition = definition;
  running.source = build({*files_, clock_, random_, *metrics_, log_->topic(definition.topic),
                          definition.name, std::filesystem::absolute(project_.directory).string()});
  running.thread =
      std::jthread([source = running.source.get()](std::stop_token stop) { source->run(stop); });
  std::lock_guard lock(mutex_);
  sources_[definition.name] = std::move(running);
}

void Instance::apply(project::Project project, const project::Difference& difference) {
  telemetry::log_info("app", "project changed", {{"changes", difference.to_text()}});
  const auto is_in = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const auto touched = [&](const project::Changes& changes, const std::string& name) {
    return is_in(changes.added, name) || is_in(changes.changed, name) ||
           is_in(changes.removed, name);
  };
  {
    std::lock_guard lock(mutex_);
    broken_project_.clear();
    problems_.clear();
  }
  for (const std::string& setting : difference.settings) {
    tell_of_problem(format("setting {} changed: it takes effect at the next start", setting));
  }
  // What can be refused comes first, while everything else still runs as it did.
  for (const project::TopicDefinition& topic : project.topics) create_topic(topic);
  keep_offsets_of_tables();
  if (!difference.views.empty()) views_->set(view_specs(project));
  std::vector<RunningJob> old_jobs;
  std::vector<RunningSource> old_sources;
  {
    std::lock_guard lock(mutex_);
    for (auto job = jobs_.begin(); job != jobs_.end();) {
      if (touched(difference.jobs, job->first)) {
        old_jobs.push_back(std::move(job->second));
        job = jobs_.erase(job);
      } else {
        ++job;
      }
    }
    for (auto source = sources_.begin(); source != sources_.end();) {
      if (touched(difference.sources, source->first)) {
        old_sources.push_back(std::move(source->second));
        source = sources_.erase(source);
      } else {
        ++source;
      }
    }
  }
  for (RunningSource& source : old_sources) source.thread.request_stop();
  old_sources.clear();
  for (RunningJob& job : old_jobs) job.runner->stop();
  old_jobs.clear();
  {
    std::lock_guard lock(mutex_);
    project_ = std::move(project);
  }
  for (const project::JobDefinition& job : project_.jobs) {
    if (touched(difference.jobs, job.name) && job.mode == project::JobMode::kStreaming)
      start_job(job);
  }
  for (const project::SourceDefinition& source : project_.sources) {
    if (touched(difference.sources, source.name)) start_source(source);
  }
}

void Instance::tell_of_problem(const std::string& problem) {
  telemetry::log_warning("app", problem, {});
  std::lock_guard lock(mutex_);
  problems_.push_back(problem);
}

void Instance::report_broken_project(const std::string& reason) {
  telemetry::log_error("app", "the changed project has errors; the old one goes on",
                       {{"errors", reason}});
  std::lock_guard lock(mutex_);
  broken_project_ = reason;
}

const project::JobDefinition& Instance::job_definition(const std::string& name) const {
  const project::JobDefinition* job = project_.find_job(name);
  if (job != nullptr) return *job;
  std::vector<std::string> names;
  for (const project::JobDefinition& candidate : project_.jobs) names.push_back(candidate.name);
  fail(ErrorKind::kNotFound, "there is no job '{}'; there are: {}", name, join(names, ", "));
}

Json Instance::run_job(const std::string& name, std::stop_token stop,
                       const std::function<void(const headrace::jobs::RunProgress&)>& progress) {
  const project::JobDefinition& job = job_definition(name);
  const SteadyTime began = clock_.steady_now();
  headrace::jobs::JobRunner runner(to_job_spec(job), runtime());
  views_->set(view_specs(project_));
  runner.run_to_end(stop, progress);
  views_->wait_until_current(std::chrono::minutes(10));
  JsonArray written;
  for (const project::JobNode& node : job.nodes) {
    if (!node.is_target()) continue;
    const size_t dot = node.facts.table_written.find('.');
    const lake::TablePtr table = catalog_->load(
        {node.facts.table_written.substr(0, dot), node.facts.table_written.substr(dot + 1)});
    int64_t rows = 0;
    for (const lake::DataFile& file : catalog_->files(*table)) rows += file.record_count;
    written.push_back(JsonObject{{"name", node.facts.table_written}, {"rows", rows}});
  }
  const auto elapsed = std::chrono::duration_cast<milliseconds>(clock_.steady_now() - began);
  return JsonObject{{"job", name},
                    {"records", runner.status().records},
                    {"dead_letters", runner.status().dead_letters},
                    {"elapsed_ms", elapsed.count()},
                    {"tables", std::move(written)}};
}

Instance::RunningJob& Instance::running_job(const std::string& name) {
  const auto found = jobs_.find(name);
  if (found != jobs_.end()) return found->second;
  job_definition(name);  // says which there are
  fail(ErrorKind::kNotFound,
       "job '{}' is not running: it is in batch mode, run it with: headrace run {}", name, name);
}

Json Instance::pause_job(const std::string& name) {
  std::lock_guard lock(mutex_);
  RunningJob& job = running_job(name);
  job.runner->stop();
  job.is_paused = true;
  return describe(job);
}

Json Instance::resume_job(const std::string& name) {
  std::lock_guard lock(mutex_);
  RunningJob& job = running_job(name);
  job.runner->stop();
  job.runner = std::make_unique<headrace::jobs::JobRunner>(to_job_spec(job.definition), runtime());
  job.runner->start();
  job.is_paused = false;
  return describe(job);
}

Json Instance::begin_job(const std::string& name) {
  std::lock_guard lock(mutex_);
  const project::JobDefinition& definition = job_definition(name);
  if (definition.mode == project::JobMode::kStreaming) {
    fail(ErrorKind::kConflict,
         "running job {}: it is in streaming mode, the server takes in what is new by itself",
         name);
  }
  RunningJob& job = jobs_[name];
  if (job.runner && !job.is_paused && !job.runner->is_over()) {
    fail(ErrorKind::kConflict, "running job {}: it is running already", name);
  }
  job.runner.reset();  // ends the run of before, should it wait to begin again
  job = {definition,
         std::make_unique<headrace::jobs::JobRunner>(to_job_spec(definition), runtime()), false};
  job.runner->start();
  return describe(job);
}

Json Instance::commit(milliseconds timeout) {
  const SteadyTime deadline = clock_.steady_now() + timeout;
  std::vector<headrace::jobs::JobRunner*> runners;
  std::lock_guard lock(mutex_);
  for (auto& [name, job] : jobs_) {
    if (job.is_paused) continue;
    job.runner->wait_until_started(timeout);
    job.runner->commit_soon();
    runners.push_back(job.runner.get());
  }
  for (headrace::jobs::JobRunner* runner : runners) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock_.steady_now());
    if (!runner->wait_until_committed(left)) {
      fail(ErrorKind::kTimeout, "job {} did not commit within {} ms", runner->spec().name,
           timeout.count());
    }
  }
  const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock_.steady_now());
  if (!views_->wait_until_current(left)) {
    fail(ErrorKind::kTimeout, "the tables are committed, but the views are not current after {} ms",
         timeout.count());
  }
  return JsonObject{{"committed", true}};
}

}  // namespace headrace::app
