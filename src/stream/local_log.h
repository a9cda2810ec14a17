#pragma once

// The log in a local directory. Private to this module.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "stream/directory_lock.h"
#include "stream/local_topic.h"

namespace headrace::stream {

class LocalLog final : public Log {
 public:
  LocalLog(std::string directory, FileSystem& files, Clock& clock, telemetry::Metrics& metrics,
           const LogOptions& options);
  ~LocalLog() override;

  Topic& create_topic(const std::string& name, const TopicConfig& config) override;
  Topic& topic(const std::string& name) const override;
  Topic* find_topic(const std::string& name) const override;
  std::vector<std::string> topic_names() const override;
  void delete_topic(const std::string& name) override;
  void alter_topic(const std::string& name, const TopicConfig& config) override;
  void apply_retention() override;
  void tend(std::stop_token stop) override;
  void refresh() override;

 private:
  std::string topic_directory(const std::string& name) const;
  void prepare_directory();
  void open_topics();
  void build_topic_directory(const std::string& name, const TopicConfig& config);
  void refuse_if_read_only(std::string_view doing) const;
  LocalTopic& present_topic(const std::string& name) const;
  std::vector<std::shared_ptr<LocalTopic>> topics() const;

  const std::string directory_;
  const bool read_only_;
  FileSystem& files_;
  std::unique_ptr<DirectoryLock> lock_;
  SeededRandom random_;
  std::unique_ptr<SegmentWindows> windows_;  // nullptr without object storage, as the next
  std::unique_ptr<const RemoteContext> remote_;
  LogContext context_;

  mutable std::mutex changing_;  // held while a topic is made, changed or deleted
  mutable std::mutex mutex_;     // guards the two below
  std::map<std::string, std::shared_ptr<LocalTopic>> topics_;
  std::vector<std::shared_ptr<LocalTopic>> deleted_;  // somebody may still hold a reference

  std::unique_ptr<LogWriter> writer_;  // last: its thread uses the topics
};

}  // namespace headrace::stream
