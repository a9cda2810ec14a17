#include "maintenance/row_moves.h"

#include <algorithm>

#include "base/error.h"
#include "lake/data_writer.h"

namespace headrace::maintenance {
namespace {

void check_keeps_order(engine::Connection& connection) {
  const auto setting = connection.query_value("SELECT current_setting('preserve_insertion_order')");
  if (setting == "true") return;
  fail(ErrorKind::kInternal, "merging files: the engine does not keep the order of rows");
}

// Rows and their places, in the order of a query of (_file, _position).
class Places {
 public:
  explicit Places(engine::Result result) : result_(std::move(result)) {}

  template <class Take>
  void each(Take take) {
    while (const engine::Chunk* chunk = result_.next()) {
      const auto* file = chunk->column(0).data<int64_t>();
      const auto* position = chunk->column(1).data<int64_t>();
      for (size_t row = 0; row < chunk->rows(); ++row) {
        take(static_cast<size_t>(file[row]), position[row]);
      }
    }
  }

 private:
  engine::Result result_;
};

// The rows that live, file by file in the order in which a scan gives them.
std::shared_ptr<lake::MovedRows> live_rows_of(engine::Connection& connection, const MergeTask& task,
                                              const std::string& in_order) {
  auto moved = std::make_shared<lake::MovedRows>();
  std::optional<size_t> current;
  lake::RowPositions live;
  int64_t last = -1;
  Places places(connection.query(format("SELECT _file, _position FROM ({}){}",
                                        lake::scan_rows_sql(*task.table, task.files),
                                        in_order.empty() ? "" : " ORDER BY " + in_order)));
  places.each([&](size_t file, int64_t position) {
    if (current != file) {
      if (current) moved->add(task.files.at(*current).path, std::move(live));
      live = lake::RowPositions();
      current = file;
      last = -1;
    }
    if (position <= last) {
      fail(ErrorKind::kInternal, "merging files: the engine gives the rows of {} out of order",
           task.files.at(file).path);
    }
    live.add(position);
    last = position;
  });
  if (current) moved->add(task.files.at(*current).path, std::move(live));
  return moved;
}

// No commit may take in a merge that lost or doubled a row.
void check_rows(const MergeTask& task, lake::DeleteReader& reader, const lake::MovedRows& moved) {
  int64_t expected = 0;
  for (const lake::DataFile& file : task.files) {
    if (lake::has_equality_deletes(file))
      return;  // how many rows they match is not written anywhere
    expected += file.record_count;
    if (file.delete_set == nullptr) continue;
    if (const auto gone = file.delete_set->deleted(file.delete_number, 0, reader.loader())) {
      expected -= gone->count();
    }
  }
  if (moved.count() == expected) return;
  fail(ErrorKind::kCorrupt,
       "merging {} files of {}: they hold {} rows, but the table says {}; nothing was changed",
       task.files.size(), task.table->identifier.to_string(), moved.count(), expected);
}

// Rows that have ids bring them along.
bool have_ids(const MergeTask& task) {
  return std::any_of(task.files.begin(), task.files.end(),
                     [](const lake::DataFile& file) { return file.first_row_id.has_value(); });
}

std::string moving_rows_sql(const MergeTask& task) {
  return have_ids(task) ? lake::scan_moving_rows_sql(*task.table, task.files)
                        : lake::scan_rows_sql(*task.table, task.files);
}

constexpr const char* kPlain = "SELECT * EXCLUDE (_file, _position) FROM ";
constexpr const char* kSorted = "headrace_merging";

// The rows in their new order, on their way into the file.
class SortedRows {
 public:
  SortedRows(engine::Connection& connection, const MergeTask& task, const std::string& order)
      : connection_(connection) {
    connection_.execute(format("CREATE TEMP TABLE {} AS SELECT * FROM ({}) ORDER BY {}", kSorted,
                               moving_rows_sql(task), order));
  }
  ~SortedRows() {
    try {
      connection_.execute(format("DROP TABLE temp.{}", kSorted));
    } catch (const Error&) {
      // It goes with the connection.
    }
  }
  SortedRows(const SortedRows&) = delete;
  SortedRows& operator=(const SortedRows&) = delete;

  std::string select() const { return format("{} temp.{}", kPlain, kSorted); }

  std::vector<uint32_t> order(const MergeTask& task, const lake::MovedRows& moved) {
    std::vector<uint32_t> order(static_cast<size_t>(moved.count()));
    uint32_t next = 0;
    Places places(connection_.query(format("SELECT _file, _position FROM temp.{}", kSorted)));
    places.each([&](size_t file, int64_t position) {
      const auto number = moved.number(task.files.at(file).path, position);
      order.at(static_cast<size_t>(number.value())) = next++;
    });
    return order;
  }

 private:
  engine::Connection& connection_;
};

}  // namespace

RewrittenFiles rewrite_rows(const MergeCollaborators& collaborators, engine::Connection& connection,
                            lake::DeleteReader& deletes, const MergeTask& task,
                            const MergeOrder& order) {
  check_keeps_order(connection);
  // Leaving out rows by their values may give the others in any order.
  const bool is_mixed =
      std::any_of(task.files.begin(), task.files.end(), lake::has_equality_deletes);
  const std::string by_place = is_mixed ? "_file, _position" : "";
  auto moved = live_rows_of(connection, task, by_place);
  check_rows(task, deletes, *moved);
  lake::WriteOptions options;
  options.partition = task.files.front().partition;
  options.sort_order_id = order.id;
  options.keeps_row_ids = have_ids(task);
  const auto write = [&](const std::string& select) {
    return lake::write_data_files(connection, collaborators.catalog, collaborators.files,
                                  collaborators.random, *task.table, select, options);
  };
  RewrittenFiles result;
  const std::string& sorted_by = order.sql.empty() ? by_place : order.sql;
  if (sorted_by.empty()) {
    result.added = write(have_ids(task) ? format("{} ({})", kPlain, moving_rows_sql(task))
                                        : lake::scan_sql(*task.table, task.files));
  } else {
    SortedRows sorted(connection, task, sorted_by);
    result.added = write(sorted.select());
    moved->set_order(sorted.order(task, *moved));
  }
  int64_t written = 0;
  for (const lake::DataFile& file : result.added) written += file.record_count;
  if (written != moved->count() || result.added.size() > 1) {
    collaborators.catalog.discard_files(result.added);
    fail(ErrorKind::kInternal, "merging {} files of {}: {} rows were written of {}",
         task.files.size(), task.table->identifier.to_string(), written, moved->count());
  }
  result.moved = std::move(moved);
  return result;
}

}  // namespace headrace::maintenance
