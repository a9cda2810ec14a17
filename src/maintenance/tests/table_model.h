#pragma once

// What a table that is changed by key must hold, kept in memory.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "lake/table.h"

namespace headrace::maintenance {

struct ModelChange {
  int64_t id = 0;
  int64_t amount = 0;
  bool deletes = false;
};

class TableModel {
 public:
  struct Row {
    int64_t amount = 0;
    std::map<int, int64_t> others;  // of columns and members that came later, by their ids
  };
  using Rows = std::map<int64_t, Row>;
  using Batch = std::vector<ModelChange>;

  void take(const Batch& batch) {
    batches_.push_back(batch);
    apply(batch, current_);
  }
  size_t batch_count() const { return batches_.size(); }
  const Batch& batch(size_t number) const { return batches_.at(number); }

  // The job has committed the first `batches`.
  void commit(lake::SnapshotId snapshot, size_t batches) {
    for (; committed_batches_ < batches; ++committed_batches_) {
      apply(batches_.at(committed_batches_), committed_);
    }
    remember(snapshot);
  }
  // Somebody else has made the committed rows these; what is not committed goes on top.
  void commit_rows(lake::SnapshotId snapshot, Rows rows) {
    committed_ = std::move(rows);
    remember(snapshot);
    make_current();
  }
  // Rows stay as they are.
  void remember(lake::SnapshotId snapshot) { kept_[snapshot] = {committed_, committed_batches_}; }
  void roll_back(lake::SnapshotId snapshot) {
    committed_ = kept_.at(snapshot).rows;
    committed_batches_ = kept_.at(snapshot).batches;
    make_current();
  }

  const Rows& committed() const { return committed_; }
  const Rows& current() const { return current_; }
  size_t committed_batches() const { return committed_batches_; }

  // One text for each row, in the order of ids; `others`: the columns after id and amount.
  static std::vector<std::string> texts(const Rows& rows, const std::vector<lake::Field>& others) {
    std::vector<std::string> result;
    for (const auto& [id, row] : rows) {
      std::string text = format("{}|{}", id, row.amount);
      for (const lake::Field& column : others) text += "|" + text_of(row, column);
      result.push_back(std::move(text));
    }
    return result;
  }

 private:
  struct Kept {
    Rows rows;
    size_t batches = 0;
  };

  static std::string text_of(const Row& row, const lake::Field& column) {
    if (column.type.kind == lake::TypeKind::kStruct) return struct_text(row, column.type);
    const auto value = row.others.find(column.id);
    return value == row.others.end() ? "NULL" : format("{}", value->second);
  }
  // As the job fills it: {'x': amount, 'y': -amount}, whatever these are called by now.
  static std::string struct_text(const Row& row, const lake::Type& type) {
    std::vector<std::string> members;
    for (size_t i = 0; i < type.fields.size(); ++i) {
      const lake::Field& member = type.fields[i];
      const auto other = row.others.find(member.id);
      const std::string value = i == 0                      ? format("{}", row.amount)
                                : i == 1                    ? format("{}", -row.amount)
                                : other == row.others.end() ? "null"
                                                            : format("{}", other->second);
      members.push_back(format(R"("{}":{})", member.name, value));
    }
    return format("{{{}}}", join(members, ","));
  }

  static void apply(const Batch& batch, Rows& rows) {
    for (const ModelChange& change : batch) {
      if (change.deletes) {
        rows.erase(change.id);
      } else {
        rows[change.id] = {change.amount, {}};
      }
    }
  }
  void make_current() {
    current_ = committed_;
    for (size_t i = committed_batches_; i < batches_.size(); ++i) apply(batches_[i], current_);
  }

  std::vector<Batch> batches_;
  size_t committed_batches_ = 0;
  Rows committed_;
  Rows current_;
  std::map<lake::SnapshotId, Kept> kept_;
};

}  // namespace headrace::maintenance
