#pragma once

// What a table that is changed by key must hold, kept in memory.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

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
    std::map<int, int64_t> others;  // of columns that were added later, by their ids; else NULL
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

  // One text for each row, in the order of ids; `others`: ids of the columns after id and amount.
  static std::vector<std::string> texts(const Rows& rows, const std::vector<int>& others) {
    std::vector<std::string> result;
    for (const auto& [id, row] : rows) {
      std::string text = format("{}|{}", id, row.amount);
      for (const int column : others) {
        const auto value = row.others.find(column);
        text += value == row.others.end() ? "|NULL" : format("|{}", value->second);
      }
      result.push_back(std::move(text));
    }
    return result;
  }

 private:
  struct Kept {
    Rows rows;
    size_t batches = 0;
  };

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
