#include "sources/testing/source_bench.h"

#include <filesystem>
#include <fstream>

#include <stdlib.h>

#include "base/error.h"

namespace headrace::sources {
namespace {

void write_with(const std::string& path, const std::string& content, std::ios::openmode mode) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, mode | std::ios::binary) << content;
}

}  // namespace

bool LeapingClock::sleep_for(microseconds duration, std::stop_token stop) {
  micros_ += duration.count();
  // Others get a turn: a loop of sleeps must not starve them.
  std::this_thread::sleep_for(std::chrono::microseconds(200));
  return !stop.stop_requested();
}

SourceBench::SourceBench(int partitions)
    : files_(make_posix_file_system()), metrics_(telemetry::make_metrics()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "headrace-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) fail_errno(errno, "creating directory", pattern);
  directory_ = pattern;
  reset_topic(partitions);
}

SourceBench::~SourceBench() { std::filesystem::remove_all(directory_); }

void SourceBench::reset_topic(int partitions) {
  topic_ = std::make_unique<MemoryTopic>(partitions);
}

void SourceBench::write(const std::string& path, const std::string& content) {
  std::filesystem::remove(full_path(path));
  write_with(full_path(path), content, std::ios::trunc);
}
void SourceBench::append(const std::string& path, const std::string& content) {
  write_with(full_path(path), content, std::ios::app);
}
void SourceBench::truncate(const std::string& path, const std::string& content) {
  write_with(full_path(path), content, std::ios::trunc);
}
void SourceBench::rename(const std::string& from, const std::string& to) {
  std::filesystem::rename(full_path(from), full_path(to));
}
void SourceBench::remove(const std::string& path) { std::filesystem::remove(full_path(path)); }

std::unique_ptr<Source> SourceBench::make(const std::string& yaml, FileSystem* files,
                                          Clock* clock) {
  config::Problems problems;
  const config::Document document = config::parse_yaml(yaml, "sources/test.yaml", problems);
  const BuildSource build = find_source_type("files")->read(document.root(), problems);
  problems.throw_if_errors("reading sources/test.yaml");
  return build({files ? *files : *files_, clock ? *clock : clock_, random_, *metrics_, *topic_,
                "test", directory_});
}

SourceStatus SourceBench::run(const std::string& yaml, FileSystem* files) {
  const std::unique_ptr<Source> source = make(yaml, files);
  source->run({});
  return source->status();
}

RunningSource::RunningSource(std::unique_ptr<Source> source)
    : source_(std::move(source)),
      thread_([this](const std::stop_token& stop) { source_->run(stop); }) {}

void RunningSource::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

bool RunningSource::wait_for(SourceState state) const {
  for (int i = 0; i < 10'000; ++i) {
    if (status().state == state) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

}  // namespace headrace::sources
