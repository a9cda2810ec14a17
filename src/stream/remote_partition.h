#pragma once

// A partition's segments in object storage: the manifest as it was last read or written, who may
// write it, and reading from the segments.
//
// Who writes: a log directory, under a name of its own that it keeps in its copy of the manifest.
// A directory without records takes over from another; then that one's next write fails, because
// every write is on the condition that the manifest is as this process knows it. A writer that
// lost is *fenced*: it writes nothing more, and says so.
//
// Life cycle: no I/O at the start; load_copy() reads the local copy, connect() the real one.
// Thread use: reading from any thread; connect(), commit() and what else writes by one at a time
// (the partition sees to it). Private to this module.

#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "base/random.h"
#include "stream/remote_manifest.h"
#include "stream/remote_read.h"
#include "stream/segment_index.h"

namespace headrace::stream {

// What all partitions of a log share.
struct RemoteContext {
  FileSystem& files;
  objects::ObjectStore& objects;
  SegmentWindows& windows;
  Random& random;
  std::string session;  // of this process
};

class RemotePartition {
 public:
  // `uri` is that of the topic's tiered storage, `directory` the partition's.
  RemotePartition(const RemoteContext& context, const std::string& uri, std::string topic,
                  int partition, std::string directory);

  const std::string& folder() const { return folder_; }
  // As last read or written; nullptr: nothing is known yet.
  std::shared_ptr<const RemoteManifest> manifest() const;
  uint64_t size_bytes() const;  // of all its segments
  bool is_connected() const;
  // Whether the copy in the directory is the manifest: only then may local segments go.
  bool is_copied() const;

  // Reads the copy, when there is one. corrupt.
  void load_copy();
  // What the directory holds besides.
  struct LocalRecords {
    bool any = false;
    Offset end_offset = 0;
  };
  // Reads the manifest and makes this process its writer. Errors: those of the store; conflict when
  // it belongs to another log, or tells of records that this one should have and has not; corrupt.
  void connect(const LocalRecords& local);
  // Replaces the manifest with what `change` makes of it, there and in the copy. conflict when
  // another writer took over. After any other error it is not known which of both holds, and the
  // partition is not connected any more.
  void commit(const std::function<void(RemoteManifest&)>& change);
  // Writes the copy when it is not the manifest.
  void mend_copy();
  // Puts the objects of a finished local segment there; of no meaning until it is committed.
  RemoteSegment upload(const Segment& segment, const SegmentIndex& index);
  // Objects that no manifest names any more; those that could not be removed are tried again.
  void remove_objects(const std::vector<RemoteSegment>& segments);
  // The same with all that is in the folder: what writers that were killed left.
  void remove_strays();
  // Forgets the partition, there and here. denied when another writer owns it.
  void remove_all();

  // --- reading ---

  // The segment with `offset`, or the first after it; nullopt when there is none.
  std::optional<RemoteSegment> segment_at(Offset offset) const;
  // A batch at or before the one with `offset`, and one before which all timestamps are less.
  uint64_t position_of(const RemoteSegment& remote, Offset offset);
  uint64_t position_of_time(const RemoteSegment& remote, int64_t timestamp_ms);
  RemoteCursor cursor(const RemoteSegment& remote) const;
  // Fetches the beginning of the segment that comes after `remote`.
  void prefetch_after(const RemoteSegment& remote) const;
  std::string uri_of(const RemoteSegment& remote) const;
  // What `read` gives. An object that is not there is corrupt when the manifest still names it, and
  // not_found when retention took the segment meanwhile.
  template <class Read>
  auto told_if_missing(const RemoteSegment& remote, const Read& read) const {
    try {
      return read();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kNotFound) throw;
      refuse_if_named(remote, error);
      throw;
    }
  }

 private:
  using IndexPtr = std::shared_ptr<const SegmentIndex>;

  struct Read {
    RemoteManifest manifest;
    std::string text;
    std::string etag;
  };
  std::string manifest_uri() const;
  std::string index_uri(const RemoteSegment& remote) const;
  std::optional<Read> read_manifest() const;
  void refuse_if_named(const RemoteSegment& remote, const Error& error) const;
  void refuse_foreign(const Read& there, const LocalRecords& local) const;
  void put(const RemoteManifest& next, const std::string& etag);
  void adopt(std::shared_ptr<const RemoteManifest> manifest, std::string etag);
  void disconnect();
  void write_copy(const RemoteManifest& manifest);
  IndexPtr index_of(const RemoteSegment& remote);
  SegmentIndex load_remote_index(const RemoteSegment& remote) const;

  const RemoteContext context_;
  const std::string topic_;
  const int partition_;
  const std::string directory_;
  const std::string folder_;  // <uri>/<topic>/<partition>

  mutable std::mutex mutex_;  // of what follows
  std::shared_ptr<const RemoteManifest> manifest_;
  uint64_t size_bytes_ = 0;
  std::string etag_;  // of the manifest; empty: not connected
  bool is_copied_ = false;
  std::list<std::pair<std::string, IndexPtr>> indexes_;  // used lately, latest first
  std::vector<RemoteSegment> garbage_;
};

}  // namespace headrace::stream
