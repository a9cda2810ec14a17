#include "views/affected_files.h"

#include <map>

#include "base/error.h"
#include "lake/single_value.h"

namespace headrace::views {
namespace {

const std::string* bound_of(const std::map<int, std::string>& bounds, int field_id) {
  const auto found = bounds.find(field_id);
  return found == bounds.end() ? nullptr : &found->second;
}

std::optional<int64_t> nulls_of(const lake::DataFile& file, int field_id) {
  const auto found = file.figures->null_value_counts.find(field_id);
  if (found == file.figures->null_value_counts.end()) return std::nullopt;
  return found->second;
}

bool values_meet(const lake::DataFile& file, const KeyRange& range) {
  if (!range.is_endless && (!range.least || !range.greatest)) return false;
  if (!range.least && !range.greatest) return false;
  const lake::Type& type = range.field->type;
  const int id = range.field->id;
  if (nulls_of(file, id) == file.record_count) return false;
  try {
    const std::string* lower = bound_of(file.figures->lower_bounds, id);
    if (lower != nullptr && range.greatest &&
        lake::compare_single_values(type, lake::single_value_from_text(type, *range.greatest),
                                    *lower) < 0) {
      return false;
    }
    const std::string* upper = bound_of(file.figures->upper_bounds, id);
    return upper == nullptr || !range.least ||
           lake::compare_single_values(type, lake::single_value_from_text(type, *range.least),
                                       *upper) <= 0;
  } catch (const Error&) {
    return true;  // NaN and the like have no place in the order of bounds
  }
}

bool can_meet(const lake::DataFile& file, const KeyRange& range) {
  const bool nulls_meet = range.has_null && nulls_of(file, range.field->id) != 0;
  return nulls_meet || values_meet(file, range);
}

}  // namespace

bool may_hold(const lake::DataFile& file, const std::vector<KeyRange>& delta) {
  for (const KeyRange& range : delta) {
    if (!can_meet(file, range)) return false;
  }
  return true;
}

std::vector<lake::DataFile> files_to_rewrite(const std::vector<lake::DataFile>& stored,
                                             const std::vector<KeyRange>& delta) {
  std::map<std::pair<int, lake::PartitionValues>, size_t> small;  // files of each partition
  const auto is_small = [](const lake::DataFile& file) {
    return file.record_count < kSmallFileRows;
  };
  for (const lake::DataFile& file : stored) {
    if (is_small(file)) ++small[{file.spec_id, file.partition}];
  }
  std::vector<lake::DataFile> result;
  for (const lake::DataFile& file : stored) {
    const bool is_crowded =
        is_small(file) && small.at({file.spec_id, file.partition}) > kMaxSmallFiles;
    if (is_crowded || may_hold(file, delta)) result.push_back(file);
  }
  return result;
}

}  // namespace headrace::views
