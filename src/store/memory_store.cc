#include <map>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "store/metadata_store.h"

namespace headrace::store {
namespace {

class MemoryStore final : public MetadataStore {
 public:
  std::optional<Entry> get(std::string_view space, std::string_view key) override {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find({std::string(space), std::string(key)});
    if (found == entries_.end()) return std::nullopt;
    return found->second;
  }

  std::vector<Entry> list(std::string_view space, std::string_view prefix) override {
    const std::lock_guard lock(mutex_);
    std::vector<Entry> entries;
    for (auto it = entries_.lower_bound({std::string(space), std::string(prefix)});
         it != entries_.end() && it->first.first == space && it->first.second.starts_with(prefix);
         ++it) {
      entries.push_back(it->second);
    }
    return entries;
  }

  void apply(const std::vector<Change>& changes) override {
    const std::lock_guard lock(mutex_);
    // A later change of the same transaction sees the earlier ones, as in a database.
    Entries next = entries_;
    for (const Change& change : changes) apply_one(next, change);
    entries_ = std::move(next);
  }

  int64_t now_ms() override { return millis_since_epoch(SystemClock().now()); }

 private:
  using Entries = std::map<std::pair<std::string, std::string>, Entry>;

  static void apply_one(Entries& entries, const Change& change) {
    const auto key = std::make_pair(change.space, change.key);
    const auto found = entries.find(key);
    const int64_t version = found == entries.end() ? 0 : found->second.version;
    if (change.expected_version && *change.expected_version != version) {
      fail(ErrorKind::kConflict, "changing {}/{} in the metadata store: its version is {}, not {}",
           change.space, change.key, version, *change.expected_version);
    }
    if (change.is_check) return;
    if (change.value) {
      entries[key] = Entry{change.key, *change.value, version + 1};
    } else {
      entries.erase(key);
    }
  }

  std::mutex mutex_;
  Entries entries_;
};

}  // namespace

Change check_version(std::string space, std::string key, int64_t expected_version) {
  return {std::move(space), std::move(key), std::nullopt, expected_version, true};
}

std::unique_ptr<MetadataStore> make_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace headrace::store
