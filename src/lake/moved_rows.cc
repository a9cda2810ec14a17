#include "lake/moved_rows.h"

#include "base/error.h"

namespace headrace::lake {

void MovedRows::add(const std::string& path, RowPositions live) {
  const int64_t rows = live.count();
  if (!files_.emplace(path, File{count_, std::move(live)}).second) {
    fail(ErrorKind::kInternal, "merging files: the rows of {} come twice", path);
  }
  count_ += rows;
}

const RowPositions* MovedRows::live(const std::string& path) const {
  const auto file = files_.find(path);
  return file == files_.end() ? nullptr : &file->second.live;
}

std::optional<int64_t> MovedRows::number(const std::string& path, int64_t position) const {
  const auto file = files_.find(path);
  if (file == files_.end() || !file->second.live.contains(position)) return std::nullopt;
  return file->second.begin + file->second.live.count_below(position);
}

std::optional<int64_t> MovedRows::find(const std::string& path, int64_t position) const {
  const std::optional<int64_t> added = number(path, position);
  if (!added || order_.empty()) return added;
  return order_.at(static_cast<size_t>(*added));
}

RowPositions MovedRows::moved(const std::string& path, const RowPositions& positions) const {
  RowPositions result;
  for (const int64_t position : positions.sorted()) {
    if (const auto now = find(path, position)) result.add(*now);
  }
  return result;
}

}  // namespace headrace::lake
