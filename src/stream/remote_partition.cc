#include "stream/remote_partition.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "codec/crc32c.h"
#include "objects/uri.h"
#include "telemetry/log.h"

namespace headrace::stream {
namespace {

constexpr std::string_view kManifestName = "manifest";
constexpr uint64_t kMaxManifestBytes = uint64_t{1} << 30;
constexpr size_t kMaxIndexes = 4;
// Of an index that is rebuilt.
constexpr int64_t kRebuiltIntervalBytes = 64 * 1024;

std::string encode_index(const SegmentIndex& index, const Segment& segment) {
  std::string offsets;
  std::string times;
  for (const IndexEntry& entry : index.entries()) {
    offsets += encode_offset_entry(entry);
    times += encode_time_entry(entry);
  }
  return offsets + times + encode_time_end(segment.end_offset, segment.max_timestamp_ms);
}

std::optional<SegmentIndex> decode_index(std::string_view bytes, const Segment& segment) {
  if (bytes.size() % (2 * kIndexEntryBytes) != kIndexEntryBytes) return std::nullopt;
  const size_t offsets = bytes.size() / (2 * kIndexEntryBytes) * kIndexEntryBytes;
  return parse_index(bytes.substr(0, offsets), bytes.substr(offsets), segment.base_offset,
                     segment.end_offset, segment.size_bytes);
}

}  // namespace

RemotePartition::RemotePartition(const RemoteContext& context, const std::string& uri,
                                 std::string topic, int partition, std::string directory)
    : context_(context),
      topic_(std::move(topic)),
      partition_(partition),
      directory_(std::move(directory)),
      folder_(format("{}/{}/{}", objects::normalized(uri), topic_, partition)) {}

std::string RemotePartition::manifest_uri() const {
  return format("{}/{}", folder_, kManifestName);
}

std::string RemotePartition::uri_of(const RemoteSegment& remote) const {
  return format("{}/{}{}", folder_, remote.name, kLogSuffix);
}

std::string RemotePartition::index_uri(const RemoteSegment& remote) const {
  return format("{}/{}{}", folder_, remote.name, kIndexSuffix);
}

std::shared_ptr<const RemoteManifest> RemotePartition::manifest() const {
  const std::lock_guard lock(mutex_);
  return manifest_;
}

uint64_t RemotePartition::size_bytes() const {
  const std::lock_guard lock(mutex_);
  return size_bytes_;
}

bool RemotePartition::is_connected() const {
  const std::lock_guard lock(mutex_);
  return !etag_.empty();
}

bool RemotePartition::is_copied() const {
  const std::lock_guard lock(mutex_);
  return is_copied_;
}

void RemotePartition::adopt(std::shared_ptr<const RemoteManifest> manifest, std::string etag) {
  const std::lock_guard lock(mutex_);
  manifest_ = std::move(manifest);
  size_bytes_ = manifest_->size_bytes();
  etag_ = std::move(etag);
}

void RemotePartition::disconnect() {
  const std::lock_guard lock(mutex_);
  etag_.clear();
}

void RemotePartition::load_copy() {
  const std::string path = manifest_copy_path(directory_);
  if (!context_.files.exists(path)) return;
  try {
    auto copy =
        std::make_shared<const RemoteManifest>(parse_remote_manifest(context_.files.read(path)));
    const std::lock_guard lock(mutex_);
    if (!etag_.empty()) return;
    manifest_ = std::move(copy);
    size_bytes_ = manifest_->size_bytes();
    is_copied_ = true;
  } catch (const Error& error) {
    throw error.with_context("reading " + path);
  }
}

void RemotePartition::write_copy(const RemoteManifest& manifest) {
  {
    const std::lock_guard lock(mutex_);
    is_copied_ = false;
  }
  context_.files.write_atomically(manifest_copy_path(directory_), encode_remote_manifest(manifest));
  const std::lock_guard lock(mutex_);
  is_copied_ = true;
}

void RemotePartition::mend_copy() {
  const auto known = manifest();
  if (known != nullptr && !is_copied()) write_copy(*known);
}

std::optional<RemotePartition::Read> RemotePartition::read_manifest() const {
  objects::ObjectPart part;
  try {
    part = context_.objects.get_range(manifest_uri(), 0, kMaxManifestBytes);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kNotFound) return std::nullopt;
    throw;
  }
  try {
    Read read{parse_remote_manifest(part.bytes), part.bytes, part.object.etag};
    if (read.manifest.topic != topic_ || read.manifest.partition != partition_) {
      fail(ErrorKind::kCorrupt, "it is that of partition {} of topic {}", read.manifest.partition,
           read.manifest.topic);
    }
    return read;
  } catch (const Error& error) {
    throw error.with_context("reading " + manifest_uri());
  }
}

// Whether what is there may be gone on with.
void RemotePartition::refuse_foreign(const Read& there, const LocalRecords& local) const {
  const auto own = manifest();
  const bool is_own =
      own != nullptr &&
      (there.manifest.writer == own->writer ||
       (!own->previous_writer.empty() && there.manifest.writer == own->previous_writer));
  if (!is_own && own != nullptr) {
    fail(ErrorKind::kConflict,
         "{} belongs to another log now, which took over from this one; nothing more is uploaded "
         "from here. Keep one of both: give this topic another tiered_storage.uri by making it "
         "anew, or stop the other one",
         folder_);
  }
  const bool is_unused = there.manifest.segments.empty() && there.manifest.next_offset() == 0;
  if (!is_own && local.any && !is_unused) {
    fail(ErrorKind::kConflict,
         "{} holds the records of another log, up to offset {}, and this topic has records of its "
         "own; set another tiered_storage.uri, or remove that folder if nobody needs it",
         folder_, there.manifest.next_offset());
  }
  if (own != nullptr && there.manifest.generation < own->generation) {
    fail(ErrorKind::kCorrupt,
         "{} is older than it was (written {} times, and it had been {}): "
         "restore it",
         manifest_uri(), there.manifest.generation, own->generation);
  }
  if (local.any && there.manifest.next_offset() > local.end_offset) {
    fail(ErrorKind::kConflict,
         "{} goes up to offset {}, and the local log ends at {}: the local disk is an old copy. "
         "Stop, move {} away and start again: the records come back from there",
         folder_, there.manifest.next_offset(), local.end_offset, directory_);
  }
}

void RemotePartition::connect(const LocalRecords& local) {
  if (is_connected()) return;
  context_.objects.make_folder(folder_);
  const std::optional<Read> there = read_manifest();
  const auto own = manifest();
  RemoteManifest next;
  if (there) {
    refuse_foreign(*there, local);
    if (own != nullptr && own->session == context_.session &&
        there->manifest.session != context_.session && !own->session.empty()) {
      fail(ErrorKind::kConflict,
           "another process took {} over while this one could not reach it; nothing more is "
           "uploaded from here. Two copies of one log directory must not run",
           folder_);
    }
    next = there->manifest;
  } else if (own != nullptr && !own->segments.empty()) {
    fail(ErrorKind::kCorrupt, "{} is gone, and {} segments of the topic were there: restore it",
         manifest_uri(), own->segments.size());
  } else if (own != nullptr) {
    next = *own;
  }
  next.topic = topic_;
  next.partition = partition_;
  if (own != nullptr) {
    next.writer = own->writer;
    next.previous_writer = own->previous_writer;
  } else {
    next.previous_writer = next.writer;
    next.writer = make_uuid(context_.random);
  }
  next.session = context_.session;
  if (own == nullptr) {
    write_copy(next);  // the name that this directory has from now on must not be forgotten
    adopt(std::make_shared<const RemoteManifest>(next), {});
  }
  ++next.generation;
  put(next, there ? there->etag : std::string());
  write_copy(next);
}

void RemotePartition::put(const RemoteManifest& next, const std::string& etag) {
  const std::string text = encode_remote_manifest(next);
  objects::ObjectInfo written;
  try {
    written = etag.empty() ? context_.objects.put_if_absent(manifest_uri(), text)
                           : context_.objects.put_if_match(manifest_uri(), text, etag);
  } catch (const Error& error) {
    disconnect();
    if (error.kind() != ErrorKind::kConflict && error.kind() != ErrorKind::kAlreadyExists &&
        error.kind() != ErrorKind::kNotFound) {
      throw;
    }
    fail(ErrorKind::kConflict, "another writer changed {} meanwhile ({})", manifest_uri(),
         error.message());
  }
  adopt(std::make_shared<const RemoteManifest>(next), written.etag);
  const std::lock_guard lock(mutex_);
  is_copied_ = false;
}

void RemotePartition::commit(const std::function<void(RemoteManifest&)>& change) {
  RemoteManifest next;
  std::string etag;
  {
    const std::lock_guard lock(mutex_);
    if (etag_.empty()) fail(ErrorKind::kInternal, "committing to {} unconnected", folder_);
    next = *manifest_;
    etag = etag_;
  }
  change(next);
  ++next.generation;
  put(next, etag);
  write_copy(next);
}

RemoteSegment RemotePartition::upload(const Segment& segment, const SegmentIndex& index) {
  RemoteSegment remote;
  remote.segment = segment;
  remote.name = format("{:020}-{}", segment.base_offset, make_uuid(context_.random));
  if (!index.entries().empty()) {
    const std::string bytes = encode_index(index, segment);
    context_.objects.put(index_uri(remote), bytes);
    remote.index_bytes = bytes.size();
    remote.index_checksum = codec::crc32c(bytes);
  }
  const objects::ObjectInfo written = context_.objects.upload(
      segment_path(directory_, segment.base_offset, kLogSuffix), uri_of(remote));
  if (written.size_bytes != segment.size_bytes) {
    fail(ErrorKind::kCorrupt, "uploading {}: it has {} bytes, and the segment had {}",
         uri_of(remote), written.size_bytes, segment.size_bytes);
  }
  return remote;
}

void RemotePartition::remove_objects(const std::vector<RemoteSegment>& segments) {
  garbage_.insert(garbage_.end(), segments.begin(), segments.end());
  if (garbage_.empty()) return;
  std::vector<std::string> uris;
  for (const RemoteSegment& remote : garbage_) {
    uris.push_back(uri_of(remote));
    if (remote.index_bytes > 0) uris.push_back(index_uri(remote));
  }
  context_.objects.remove(uris);
  garbage_.clear();
}

void RemotePartition::remove_strays() {
  const auto known = manifest();
  std::set<std::string> wanted{manifest_uri()};
  for (const RemoteSegment& remote : known->segments) {
    wanted.insert(uri_of(remote));
    wanted.insert(index_uri(remote));
  }
  std::vector<std::string> strays;
  context_.objects.list(folder_, [&](const objects::ObjectInfo& object) {
    if (!wanted.contains(object.uri)) strays.push_back(object.uri);
  });
  if (strays.empty()) return;
  telemetry::log_info("stream", "removing objects that belong to no remote segment",
                      {{"folder", folder_}, {"objects", strays.size()}});
  context_.objects.remove(strays);
}

void RemotePartition::remove_all() {
  const auto own = manifest();
  const std::optional<Read> there = read_manifest();
  if (there && (own == nullptr || there->manifest.writer != own->writer)) {
    fail(ErrorKind::kDenied, "{} belongs to another log", folder_);
  }
  disconnect();
  context_.objects.remove_folder(folder_);
  context_.files.remove(manifest_copy_path(directory_));
  const std::lock_guard lock(mutex_);
  manifest_.reset();
  size_bytes_ = 0;
  is_copied_ = false;
}

std::optional<RemoteSegment> RemotePartition::segment_at(Offset offset) const {
  const auto known = manifest();
  if (known == nullptr) return std::nullopt;
  const auto found = std::upper_bound(known->segments.begin(), known->segments.end(), offset,
                                      [](Offset sought, const RemoteSegment& remote) {
                                        return sought < remote.segment.end_offset;
                                      });
  return found == known->segments.end() ? std::nullopt : std::optional(*found);
}

void RemotePartition::refuse_if_named(const RemoteSegment& remote, const Error& error) const {
  const auto present = segment_at(remote.segment.base_offset);
  if (!present || present->name != remote.name) return;
  fail(ErrorKind::kCorrupt, "reading {}, which holds offsets {} to {}: {}; restore the object",
       uri_of(remote), remote.segment.base_offset, remote.segment.end_offset, error.message());
}

RemoteCursor RemotePartition::cursor(const RemoteSegment& remote) const {
  return {context_.windows, {uri_of(remote), remote.segment.size_bytes}};
}

void RemotePartition::prefetch_after(const RemoteSegment& remote) const {
  if (const auto next = segment_at(remote.segment.end_offset)) {
    context_.windows.prefetch({uri_of(*next), next->segment.size_bytes}, 0);
  }
}

SegmentIndex RemotePartition::load_remote_index(const RemoteSegment& remote) const {
  if (remote.index_bytes == 0) return {};
  try {
    const std::string bytes = context_.objects.get(index_uri(remote));
    if (bytes.size() == remote.index_bytes && codec::crc32c(bytes) == remote.index_checksum) {
      if (auto index = decode_index(bytes, remote.segment)) return std::move(*index);
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kNotFound) throw;
  }
  telemetry::log_warning("stream", "the index of a remote segment is of no use; reading it whole",
                         {{"segment", uri_of(remote)}});
  SegmentIndex index;
  IndexSpacing spacing(kRebuiltIntervalBytes);
  RemoteCursor at = cursor(remote);
  for (uint64_t position = 0; !at.is_end(position);) {
    const BatchHeader header = at.batch_at(position).header;
    if (const auto entry = spacing.next(header, position)) index.add(*entry);
    position += header.total_bytes();
  }
  return index;
}

RemotePartition::IndexPtr RemotePartition::index_of(const RemoteSegment& remote) {
  {
    const std::lock_guard lock(mutex_);
    for (auto entry = indexes_.begin(); entry != indexes_.end(); ++entry) {
      if (entry->first != remote.name) continue;
      indexes_.splice(indexes_.begin(), indexes_, entry);
      return indexes_.front().second;
    }
  }
  IndexPtr index = std::make_shared<const SegmentIndex>(load_remote_index(remote));
  const std::lock_guard lock(mutex_);
  indexes_.emplace_front(remote.name, index);
  if (indexes_.size() > kMaxIndexes) indexes_.pop_back();
  return index;
}

uint64_t RemotePartition::position_of(const RemoteSegment& remote, Offset offset) {
  if (offset <= remote.segment.base_offset) return 0;
  return index_of(remote)->position_at_or_before(offset);
}

uint64_t RemotePartition::position_of_time(const RemoteSegment& remote, int64_t timestamp_ms) {
  return index_of(remote)->position_before_time(timestamp_ms);
}

}  // namespace headrace::stream
