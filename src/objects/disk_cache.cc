#include "objects/disk_cache.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "codec/crc32c.h"
#include "objects/sigv4.h"

namespace headrace::objects {
namespace {

constexpr size_t kNameLength = 32;  // of the hash, in hex
constexpr size_t kChecksumBytes = 4;
constexpr int kPercentAfterMakingRoom = 90;

// The block's own name goes in, so that a file under another's name is not taken for it.
uint32_t checksum(const std::string& name, std::string_view bytes) {
  return codec::crc32c(bytes, codec::crc32c(name));
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

struct Held {
  std::string path;
  int64_t used_micros = 0;
  uint64_t bytes = 0;
};

void collect(FileSystem& files, const std::string& folder, std::vector<Held>& held) {
  for (const FileInfo& entry : files.list(folder)) {
    const std::string path = folder + "/" + entry.name;
    if (entry.is_directory) {
      collect(files, path, held);
    } else {
      held.push_back({path, entry.modified_micros, entry.size_bytes});
    }
  }
}

}  // namespace

DiskCache::DiskCache(FileSystem& files, std::string folder, uint64_t max_bytes,
                     telemetry::Metrics& metrics)
    : files_(files),
      folder_(std::move(folder)),
      max_bytes_(max_bytes),
      hits_(metrics.counter("headrace_objects_cache_hits_total",
                            "Blocks of objects that were found on the local disk")),
      misses_(metrics.counter("headrace_objects_cache_misses_total",
                              "Blocks of objects that had to be fetched")),
      evicted_bytes_(metrics.counter("headrace_objects_cache_evicted_bytes_total",
                                     "Bytes that went from the local disk to make room")),
      held_bytes_(
          metrics.gauge("headrace_objects_cache_bytes", "Bytes of objects on the local disk")) {}

std::string DiskCache::path_of(const std::string& object, uint64_t block) const {
  const std::string name = sha256_hex(object).substr(0, kNameLength);
  return format("{}/{}/{}-{}", folder_, name.substr(0, 2), name, block);
}

std::optional<std::string> DiskCache::find(const std::string& object, uint64_t block) {
  const std::string path = path_of(object, block);
  try {
    if (!files_.exists(path)) {
      misses_.add();
      return std::nullopt;
    }
    std::string bytes = files_.read(path);
    uint32_t written = 0;
    if (bytes.size() >= kChecksumBytes) {
      std::memcpy(&written, bytes.data() + bytes.size() - kChecksumBytes, kChecksumBytes);
      bytes.resize(bytes.size() - kChecksumBytes);
      if (checksum(name_of(path), bytes) == written) {
        ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // it was used just now
        hits_.add();
        return bytes;
      }
    }
    files_.remove(path);
  } catch (const Error&) {
    // As if it were not there.
  }
  misses_.add();
  return std::nullopt;
}

void DiskCache::keep(const std::string& object, uint64_t block, std::string_view bytes) {
  static std::atomic<uint64_t> next = 0;
  const std::string path = path_of(object, block);
  const std::string temporary = format("{}.{}-{}.tmp", path, ::getpid(), next++);
  const uint32_t sum = checksum(name_of(path), bytes);
  try {
    files_.create_directories(path.substr(0, path.rfind('/')));
    const auto file = files_.open_append(temporary);
    file->append(bytes);
    file->append({reinterpret_cast<const char*>(&sum), kChecksumBytes});
    files_.rename(temporary, path);
  } catch (const Error&) {
    try {
      files_.remove(temporary);
    } catch (const Error&) {
      // It goes when room is made.
    }
    return;
  }
  count(bytes.size() + kChecksumBytes);
}

void DiskCache::count(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (held_) *held_ += bytes;
  if (!held_ || *held_ > max_bytes_) {
    try {
      make_room();
    } catch (const Error&) {
      held_.reset();  // another process removes files, too; look again at the next block
    }
  }
  held_bytes_.set(static_cast<double>(held_.value_or(0)));
}

void DiskCache::make_room() {
  std::vector<Held> held;
  collect(files_, folder_, held);
  uint64_t all = 0;
  for (const Held& file : held) all += file.bytes;
  if (all > max_bytes_) {
    std::sort(held.begin(), held.end(),
              [](const Held& a, const Held& b) { return a.used_micros < b.used_micros; });
    const uint64_t wanted = max_bytes_ / 100 * kPercentAfterMakingRoom;
    for (const Held& file : held) {
      if (all <= wanted) break;
      files_.remove(file.path);
      all -= file.bytes;
      evicted_bytes_.add(static_cast<double>(file.bytes));
    }
  }
  held_ = all;
}

}  // namespace headrace::objects
