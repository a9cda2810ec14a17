#pragma once

// Snapshots of a table, and the list of them that each metadata file has.
//
// Facts: Iceberg table spec, "Snapshots". A snapshot never changes once it is committed, but each
// commit writes all that live, so lists share their snapshots.

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace headrace::lake {

using SnapshotId = int64_t;

using Summary = std::map<std::string, std::string>;

struct Snapshot {
  SnapshotId snapshot_id = 0;
  std::optional<SnapshotId> parent_snapshot_id = {};
  int64_t sequence_number = 0;
  int64_t timestamp_ms = 0;
  std::string manifest_list = {};
  Summary summary = {};  // with "operation"
  int schema_id = 0;
  std::optional<int64_t> first_row_id = {};  // format 3: of the rows that it adds
  std::optional<int64_t> added_rows = {};    // and how many ids it takes
  JsonObject unknown = {};                   // members written by other engines, kept as they are
  // The snapshot as JSON text, kept by commits: it stands in every metadata file written while the
  // snapshot lives.
  std::shared_ptr<const std::string> json_text = nullptr;
};

// When a snapshot became the table's current one.
struct SnapshotLogEntry {
  int64_t timestamp_ms = 0;
  SnapshotId snapshot_id = 0;
};

// In the order in which they were committed. Copies share the snapshots.
// Thread use: like a vector; the snapshots of copies may be read from any thread.
class SnapshotList {
  using Snapshots = std::vector<std::shared_ptr<const Snapshot>>;

 public:
  class ConstIterator {
   public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type = Snapshot;
    using difference_type = std::ptrdiff_t;
    using pointer = const Snapshot*;
    using reference = const Snapshot&;

    ConstIterator() = default;
    explicit ConstIterator(Snapshots::const_iterator at) : at_(at) {}
    reference operator*() const { return **at_; }
    pointer operator->() const { return at_->get(); }
    ConstIterator& operator++() { return ++at_, *this; }
    ConstIterator& operator--() { return --at_, *this; }
    ConstIterator operator++(int) { return ConstIterator(at_++); }
    ConstIterator operator--(int) { return ConstIterator(at_--); }
    bool operator==(const ConstIterator&) const = default;

   private:
    Snapshots::const_iterator at_;
  };
  using ConstReverseIterator = std::reverse_iterator<ConstIterator>;
  using value_type = Snapshot;

  size_t size() const { return snapshots_.size(); }
  bool empty() const { return snapshots_.empty(); }
  ConstIterator begin() const { return ConstIterator(snapshots_.begin()); }
  ConstIterator end() const { return ConstIterator(snapshots_.end()); }
  ConstReverseIterator rbegin() const { return ConstReverseIterator(end()); }
  ConstReverseIterator rend() const { return ConstReverseIterator(begin()); }
  const Snapshot& front() const { return *snapshots_.front(); }
  const Snapshot& back() const { return *snapshots_.back(); }
  const Snapshot& at(size_t index) const { return *snapshots_.at(index); }

  void clear() { snapshots_.clear(); }
  void push_back(Snapshot snapshot) {
    snapshots_.push_back(std::make_shared<const Snapshot>(std::move(snapshot)));
  }
  // Other lists that share the snapshot keep it as it is.
  void replace(size_t index, Snapshot snapshot) {
    snapshots_.at(index) = std::make_shared<const Snapshot>(std::move(snapshot));
  }
  // Takes out, in order, those of which `goes` is true; it is asked once for each.
  template <class Goes>
  SnapshotList take_if(Goes goes) {
    SnapshotList taken;
    Snapshots kept;
    for (auto& snapshot : snapshots_) {
      (goes(*snapshot) ? taken.snapshots_ : kept).push_back(std::move(snapshot));
    }
    snapshots_ = std::move(kept);
    return taken;
  }

 private:
  Snapshots snapshots_;
};

}  // namespace headrace::lake
