#pragma once

// Makes a table's next metadata out of its present one by the updates that clients of the REST
// catalog send (Iceberg REST specification, "TableUpdate"). Each method is one update; all are
// checked as strictly as a commit of our own: what it makes can be read, and loses nothing.
//
// Life cycle: one for one attempt of one commit; finish() ends it. One thread. No I/O: whether the
// files of the snapshots are there is for the catalog to check.
// Errors: invalid for what can never be right, conflict for what the table has moved on from,
// unsupported for what headrace does not do.

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lake/table.h"

namespace headrace::lake {

class MetadataBuilder {
 public:
  // `base`: nullptr for a table that is to be made.
  MetadataBuilder(std::string table, const TableMetadata* base, int64_t now_ms);

  // Where −1 stands for "what was added last".
  static constexpr int kLastAdded = -1;

  void assign_uuid(const std::string& uuid);
  void upgrade_format(int64_t version);
  void set_location(const std::string& location);
  void set_properties(const std::map<std::string, std::string>& properties);
  void remove_properties(const std::vector<std::string>& names);

  void add_schema(Schema schema);
  void set_current_schema(int schema_id);
  void remove_schemas(const std::vector<int>& schema_ids);
  // Fields with id 0 get one.
  void add_spec(PartitionSpec spec);
  void set_default_spec(int spec_id);
  void remove_specs(const std::vector<int>& spec_ids);
  void add_sort_order(JsonObject order);
  void set_default_sort_order(int order_id);

  void add_snapshot(Snapshot snapshot);
  void remove_snapshots(const std::set<SnapshotId>& ids);
  void set_ref(const std::string& name, JsonObject ref);
  void remove_ref(const std::string& name);
  // Of one snapshot; `kind`: "statistics" or "partition-statistics".
  void set_statistics(const std::string& kind, JsonObject statistics);
  void remove_statistics(const std::string& kind, SnapshotId snapshot_id);

  // Called with each snapshot before it is added, to put it on top of the table's present state.
  using Rebase = std::function<Snapshot(Snapshot, const TableMetadata&)>;
  void rebase_snapshots(Rebase rebase) { rebase_ = std::move(rebase); }

  TableMetadata finish();

  // What the catalog has to check in the files.
  const std::set<SnapshotId>& added_snapshots() const { return added_snapshots_; }
  const std::set<int>& removed_specs() const { return removed_specs_; }

 private:
  void check_new_snapshot(const Snapshot& snapshot) const;
  void take_row_ids(const Snapshot& snapshot);
  void check_follows(const Snapshot& snapshot, std::optional<SnapshotId> before) const;
  void make_current(const Snapshot& snapshot);
  void tidy_snapshot_log();
  void check_specs() const;
  void check_readable() const;
  void fill_in();

  const std::string table_;  // for messages
  const TableMetadata* base_;
  const int64_t now_ms_;
  TableMetadata metadata_;
  Rebase rebase_;
  int last_schema_id_ = -1;
  int last_spec_id_ = -1;
  int last_order_id_ = -1;
  std::set<SnapshotId> added_snapshots_;
  std::set<SnapshotId> removed_snapshots_;
  std::set<SnapshotId> was_current_;  // by this commit
  std::set<int> removed_specs_;
  bool keeps_rows_ = true;  // false: the main branch was begun anew
};

}  // namespace headrace::lake
