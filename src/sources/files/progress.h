#pragma once

// How far a files source has read, and what it has to read next. The state lives in the topic: it
// is loaded from the positions of the partitions, and each batch carries on its own partition's
// part.
//
// Without a key a file goes wholly to one partition. With a key its records are spread over all,
// and each partition stands at a position of its own: reading goes on from the lowest, and each
// partition leaves out what it already has.
//
// Two ways of keeping it, for the two modes:
// - OrderedProgress (once): files are read in the order of their paths, so one path and position
// say
//   it all, however many files there are.
// - TrackedProgress (watch): any file may grow, so each has a position of its own.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "sources/files/glob.h"
#include "sources/files/options.h"
#include "stream/log.h"

namespace headrace::sources {

// How far a file is read.
struct FileMark {
  uint64_t position = 0;       // see RecordReader
  uint64_t records = 0;        // up to there
  uint64_t complete_size = 0;  // the size of the file on disk, when all of it was read; else 0
};

// A file to be read.
struct FileTask {
  std::string path;
  FileInfo info;
  std::shared_ptr<ReadFile> file;  // when it is open already
  int home_partition = 0;          // of its records without key
  FileMark start;
  std::vector<uint64_t> have;  // for each partition: the position up to which it has the records
  bool is_settled = true;      // unchanged for so long that it counts as complete
  int64_t entry = 0;           // of TrackedProgress
};

class Progress {
 public:
  virtual ~Progress() = default;
  // What the topic says; before anything else, and again after every failure.
  virtual void load() = 0;
  // What is to be read of the files found, in order.
  virtual std::vector<FileTask> plan(const std::vector<FoundFile>& found) = 0;
  // The position that a batch carries whose last record is in `task` and ends at `mark`.
  virtual stream::SourcePosition position(int partition, const FileTask& task,
                                          const FileMark& mark) = 0;
  // All that the file held was read.
  virtual void read_to(const FileTask& task, const FileMark& mark) = 0;
  virtual int64_t files_done() const = 0;
  virtual int64_t files_total() const = 0;
  // Bytes found and not read when plan() was last called.
  virtual int64_t lag_bytes() const = 0;
};

// What both ways need.
struct ProgressContext {
  stream::Topic& topic;
  std::string source;  // key of the positions
  bool keyed = false;
};

std::unique_ptr<Progress> make_ordered_progress(ProgressContext context);

// What following files needs beyond that.
struct TrackingContext {
  FileSystem& files;
  Clock& clock;
  const FilesOptions& options;
  std::string base_directory;
};

std::unique_ptr<Progress> make_tracked_progress(ProgressContext context,
                                                const TrackingContext& tracking);

}  // namespace headrace::sources
