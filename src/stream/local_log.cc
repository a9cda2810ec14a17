#include "stream/local_log.h"

#include "base/error.h"
#include "telemetry/log.h"

namespace headrace::stream {
namespace {

// '~' is not possible in the name of a topic. A topic is built under such a name and appears by
// being renamed, and it disappears by being renamed back: both happen whole or not at all.
constexpr std::string_view kUnfinishedPrefix = "~topic~";

}  // namespace

std::unique_ptr<Log> Log::open(const std::string& directory, FileSystem& files, Clock& clock,
                               telemetry::Metrics& metrics, const LogOptions& options) {
  return std::make_unique<LocalLog>(directory, files, clock, metrics, options);
}

LocalLog::LocalLog(std::string directory, FileSystem& files, Clock& clock,
                   telemetry::Metrics& metrics, const LogOptions& options)
    : directory_(std::move(directory)),
      read_only_(options.read_only),
      files_(files),
      context_{files, clock, metrics, nullptr, nullptr} {
  if (options.objects != nullptr) {
    windows_ = std::make_unique<SegmentWindows>(*options.objects, options.cache);
    remote_.reset(
        new RemoteContext{files, *options.objects, *windows_, random_, make_uuid(random_)});
    context_.remote = remote_.get();
  }
  if (!read_only_) {
    prepare_directory();
    writer_ = std::make_unique<LogWriter>(clock, metrics, options.max_queued_bytes);
    context_.writer = writer_.get();
  }
  open_topics();
}

LocalLog::~LocalLog() {
  writer_.reset();  // answers what is queued
  for (const auto& topic : topics()) topic->close();
}

void LocalLog::prepare_directory() {
  files_.create_directories(directory_);
  lock_ = std::make_unique<DirectoryLock>(directory_);
  for (const FileInfo& entry : files_.list(directory_)) {
    if (entry.is_directory && entry.name.starts_with(kUnfinishedPrefix)) {
      files_.remove_all(directory_ + "/" + entry.name);
    }
  }
}

std::string LocalLog::topic_directory(const std::string& name) const {
  return directory_ + "/" + name;
}

void LocalLog::open_topics() {
  if (read_only_ && !files_.exists(directory_)) return;
  for (const FileInfo& entry : files_.list(directory_)) {
    if (!entry.is_directory || entry.name.find('~') != std::string::npos) continue;
    if (find_topic(entry.name) != nullptr) continue;
    const std::string path = format("{}/{}", topic_directory(entry.name), kTopicFile);
    if (!files_.exists(path)) {
      fail(ErrorKind::kCorrupt,
           "opening topic {}: {} is missing; restore it, or move the directory away", entry.name,
           path);
    }
    TopicConfig config;
    try {
      config = parse_topic_config(files_.read(path));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kInvalid) throw;
      fail(ErrorKind::kCorrupt, "opening topic {}: reading {}: {}", entry.name, path,
           error.message());
    }
    auto topic =
        std::make_shared<LocalTopic>(context_, entry.name, topic_directory(entry.name), config);
    std::lock_guard lock(mutex_);
    topics_.emplace(entry.name, std::move(topic));
  }
}

void LocalLog::refuse_if_read_only(std::string_view doing) const {
  if (read_only_) fail(ErrorKind::kInvalid, "{}: the log is open read-only", doing);
}

void LocalLog::build_topic_directory(const std::string& name, const TopicConfig& config) {
  if (files_.exists(topic_directory(name))) {
    // Left by an attempt that failed at its last step, so nothing was ever appended.
    files_.rename(topic_directory(name), format("{}/{}{}", directory_, kUnfinishedPrefix, name));
  }
  const std::string unfinished = format("{}/{}{}", directory_, kUnfinishedPrefix, name);
  files_.remove_all(unfinished);
  for (int i = 0; i < config.partitions; ++i) {
    files_.create_directories(partition_directory(unfinished, i));
  }
  files_.write_new(format("{}/{}", unfinished, kTopicFile), to_json_text(config));
  files_.rename(unfinished, topic_directory(name));
  files_.sync_directory(directory_);
}

Topic& LocalLog::create_topic(const std::string& name, const TopicConfig& config) {
  refuse_if_read_only("creating topic " + name);
  check_topic_name(name);
  check_topic_config(config);
  std::lock_guard one_at_a_time(changing_);
  if (find_topic(name) != nullptr) {
    fail(ErrorKind::kAlreadyExists, "creating topic {}: it exists", name);
  }
  build_topic_directory(name, config);
  auto topic = std::make_shared<LocalTopic>(context_, name, topic_directory(name), config);
  try {
    topic->refuse_if_lost_for_good();
  } catch (const Error& error) {
    topic.reset();
    files_.remove_all(topic_directory(name));
    throw error.with_context(format("creating topic {}", name));
  }
  std::lock_guard lock(mutex_);
  return *topics_.emplace(name, std::move(topic)).first->second;
}

Topic* LocalLog::find_topic(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : found->second.get();
}

LocalTopic& LocalLog::present_topic(const std::string& name) const {
  {
    std::lock_guard lock(mutex_);
    const auto found = topics_.find(name);
    if (found != topics_.end()) return *found->second;
  }
  const std::vector<std::string> names = topic_names();
  fail(ErrorKind::kNotFound, "there is no topic '{}'; there {}", name,
       names.empty() ? "are none" : format("are: {}", join(names, ", ")));
}

Topic& LocalLog::topic(const std::string& name) const { return present_topic(name); }

std::vector<std::string> LocalLog::topic_names() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, topic] : topics_) names.push_back(name);
  return names;
}

std::vector<std::shared_ptr<LocalTopic>> LocalLog::topics() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<LocalTopic>> all;
  for (const auto& [name, topic] : topics_) all.push_back(topic);
  return all;
}

void LocalLog::delete_topic(const std::string& name) {
  refuse_if_read_only("deleting topic " + name);
  std::lock_guard one_at_a_time(changing_);
  LocalTopic& topic = present_topic(name);
  topic.refuse_if_read();
  // First: what stayed there would come back with the next topic of that name.
  topic.remove_remote();
  const std::string unfinished = format("{}/{}{}", directory_, kUnfinishedPrefix, name);
  files_.remove_all(unfinished);
  files_.rename(topic_directory(name), unfinished);
  topic.end_for_deletion();
  {
    std::lock_guard lock(mutex_);
    const auto found = topics_.find(name);
    deleted_.push_back(found->second);
    topics_.erase(found);
  }
  files_.sync_directory(directory_);
  files_.remove_all(unfinished);
}

void LocalLog::alter_topic(const std::string& name, const TopicConfig& config) {
  refuse_if_read_only("changing topic " + name);
  check_topic_config(config);
  std::lock_guard one_at_a_time(changing_);
  present_topic(name).alter(config);
}

void LocalLog::apply_retention() {
  for (const auto& topic : topics()) topic->apply_retention();
}

void LocalLog::tend(std::stop_token stop) {
  if (read_only_) return;
  for (const auto& topic : topics()) topic->tend(stop);
}

void LocalLog::refresh() {
  if (!read_only_) return;
  std::lock_guard one_at_a_time(changing_);
  for (const auto& topic : topics()) {
    if (files_.exists(topic_directory(topic->name()))) {
      topic->refresh();
      continue;
    }
    std::lock_guard lock(mutex_);
    deleted_.push_back(topic);
    topics_.erase(topic->name());
  }
  open_topics();
}

}  // namespace headrace::stream
