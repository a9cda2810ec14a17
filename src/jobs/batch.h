#pragma once

// The records that a job works on just now, and what it rejected of them.
//
// The SQL of a job names its job; the functions that produce its rows find the current batch here.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "stream/log.h"

namespace headrace::jobs {

// A stretch of one partition. Batches may hold records outside [from, to): they are left out.
struct PartitionSlice {
  std::string topic;  // where the records are (a retry topic, too)
  int partition = 0;
  stream::Offset from = 0;
  stream::Offset to = 0;
  std::vector<stream::Batch> batches;
};

struct Rejection {
  std::string node;
  std::string reason;
  std::string topic;  // empty: the row did not come straight from a record
  int partition = 0;
  stream::Offset offset = 0;
  std::string row;  // JSON of a row without origin
};

// Thread use: filled by the job's thread; read, and rejected from, by the engine's threads.
class InputBatch {
 public:
  // Slices by the topic that the graph names.
  std::map<std::string, std::vector<PartitionSlice>> topics;

  int64_t record_count() const;
  // Rejecting the same record twice keeps the first reason.
  void reject(Rejection rejection);
  std::vector<Rejection> take_rejections();

  // A record brings what its node's columns have no room for: they have to grow, and the batch to
  // be run again. Not after set_grown().
  void find_news() { has_news_ = true; }
  bool has_news() const { return has_news_; }
  // The columns have grown with these records as far as they can.
  void set_grown();
  bool is_grown() const { return is_grown_; }

 private:
  std::atomic<bool> has_news_ = false;
  std::atomic<bool> is_grown_ = false;
  std::mutex mutex_;
  std::vector<Rejection> rejections_;
};

// Current batches by job.
class BatchBoard {
 public:
  void put(const std::string& job, std::shared_ptr<InputBatch> batch);
  void remove(const std::string& job);
  // Throws internal when the job has none.
  std::shared_ptr<InputBatch> get(const std::string& job) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<InputBatch>> batches_;
};

}  // namespace headrace::jobs
