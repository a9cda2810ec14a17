#include "jobs/testing/job_bench.h"

#include <algorithm>
#include <filesystem>

#include "config/yaml.h"
#include "jobs/functions.h"
#include "lake/delete_function.h"
#include "lake/transform.h"
#include "tables/topic_scan.h"

namespace headrace::jobs {

JobBench::JobBench()
    : own_files_(make_posix_file_system()),
      files_(own_files_.get()),
      store_(store::make_memory_store()) {
  directory_ =
      (std::filesystem::temp_directory_path() / ("headrace-job-" + make_uuid(random_))).string();
  std::filesystem::create_directories(directory_ + "/streams");
  std::filesystem::create_directories(directory_ + "/warehouse");
  open();
}

JobBench::~JobBench() {
  shut();
  std::filesystem::remove_all(directory_);
}

void JobBench::shut() {
  tables_.reset();
  database_.reset();
  log_.reset();
  catalog_.reset();
}

void JobBench::open() {
  metrics_ = telemetry::make_metrics();
  lake::CatalogOptions options;
  options.warehouse = directory_ + "/warehouse";
  catalog_ = lake::Catalog::open(*store_, *files_, clock_, random_, options);
  log_ = stream::Log::open(directory_ + "/streams", *files_, clock_, *metrics_);
  engine::DatabaseOptions engine_options;
  engine_options.threads = 2;
  database_ = std::make_unique<engine::Database>(engine_options);
  database_->register_function(tables::make_topic_function(*log_));
  register_functions(*database_, board_);
  lake::register_transform_functions(*database_);
  lake::register_delete_function(*database_);
  tables_ = std::make_unique<tables::LiveTables>(tables::LiveTables::Collaborators{
      *database_, *catalog_, *files_, random_, log_.get(), directory_ + "/keys"});
  tables_->load_all();
}

void JobBench::restart() {
  shut();
  open();
}

void JobBench::use_files(FileSystem& files) {
  shut();
  files_ = &files;
  open();
}

void JobBench::create_topic(const std::string& name, const stream::TopicConfig& config) {
  log_->create_topic(name, config);
}

void JobBench::send(const std::string& topic, const std::vector<std::string>& values,
                    int partition) {
  stream::BatchBuilder builder(stream::Compression::kLz4);
  int64_t time_ms = 1'700'000'000'000;
  for (const std::string& value : values) builder.add(time_ms++, std::nullopt, value);
  log_->topic(topic).partition(partition).append(builder.encode());
}

JobSpec JobBench::job(const std::string& name, const std::string& nodes) {
  config::Problems problems;
  const config::Document document = config::parse_yaml(nodes, "jobs/" + name + ".yaml", problems);
  problems.throw_if_errors("the test's job");
  JobSpec spec;
  spec.name = name;
  for (const auto& [node, settings] : document.root().entries()) {
    spec.nodes.push_back({node, settings.find("type")->text(), settings});
  }
  return spec;
}

Runtime JobBench::runtime() {
  return {*database_, *catalog_, *tables_,   *log_,        board_,          *files_, clock_,
          random_,    *metrics_, directory_, commit_bytes, commit_interval, {}};
}

JobStatus JobBench::run_to_end(const JobSpec& spec) {
  JobSpec adjusted = spec;
  adjusted.batch_records = batch_records;
  JobRunner runner(adjusted, runtime());
  runner.run_to_end({}, {});
  return runner.status();
}

std::vector<std::string> JobBench::rows(const std::string& sql) {
  std::vector<std::string> texts;
  for (const auto& row : database_->connect()->query_rows(sql)) {
    std::string text;
    for (size_t i = 0; i < row.size(); ++i) text += (i > 0 ? "|" : "") + row[i].value_or("NULL");
    texts.push_back(text);
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

std::string JobBench::value(const std::string& sql) {
  return database_->connect()->query_value(sql).value_or("NULL");
}

}  // namespace headrace::jobs
