#include "lake/file_filter.h"

#include <algorithm>

#include "base/error.h"
#include "lake/single_value.h"
#include "lake/transform.h"
#include "lake/value_range.h"

namespace headrace::lake {
namespace {

using Kind = engine::Condition::Kind;

// Of longer lists only the bounds count.
constexpr size_t kMaxHashedValues = 100;

// nullopt for a type that the format has not in this very spelling.
std::optional<Type> type_of(const std::string& engine_type) {
  try {
    Type type = type_from_duckdb(engine_type);
    if (to_duckdb(type) == engine_type) return type;
  } catch (const Error&) {
    // Nothing can be told of values of such a type.
  }
  return std::nullopt;
}

// nullopt for NaN, infinite times, and what else cannot stand in bounds.
std::optional<std::string> value_of(const Type& type, const std::string& text) {
  try {
    std::string value = single_value_from_text(type, text);
    if (!is_nan(type, value)) return value;
  } catch (const Error&) {
    // A condition that is not understood leaves out nothing.
  }
  return std::nullopt;
}

}  // namespace

struct FileFilter::Node {
  Kind kind = Kind::kUnknown;
  std::vector<Node> parts = {};
  size_t slot = 0;     // in columns_
  Type own_type = {};  // of the column
  Type type = {};      // in which it is compared
  bool is_cast = false;
  std::vector<std::string> values = {};  // single values of `type`, in its order

  bool may_match(const ValueRange& of_column) const;

 private:
  bool may_equal(const ValueRange& range) const;
  bool may_begin_with(const ValueRange& range) const;
  int compare(const std::string& a, const std::string& b) const {
    return compare_single_values(type, a, b);
  }
};

bool FileFilter::Node::may_match(const ValueRange& of_column) const {
  if (kind == Kind::kIsNull) return of_column.may_be_null;
  if (!of_column.may_be_value) return false;
  if (kind == Kind::kIsNotNull) return true;
  std::optional<ValueRange> cast;
  if (is_cast) {
    cast = converted(of_column, own_type, type);
    if (!cast) return true;
  }
  const ValueRange& range = is_cast ? *cast : of_column;
  // The engine's NaN is greater than all numbers.
  switch (kind) {
    case Kind::kEqual:
    case Kind::kIn:
      return may_equal(range);
    case Kind::kNotEqual:
      return range.may_be_nan || !range.lower || !range.upper ||
             compare(*range.lower, values[0]) != 0 || compare(*range.upper, values[0]) != 0;
    case Kind::kLess:
      return !range.lower || compare(*range.lower, values[0]) < 0;
    case Kind::kLessOrEqual:
      return !range.lower || compare(*range.lower, values[0]) <= 0;
    case Kind::kGreater:
      return range.may_be_nan || !range.upper || compare(*range.upper, values[0]) > 0;
    case Kind::kGreaterOrEqual:
      return range.may_be_nan || !range.upper || compare(*range.upper, values[0]) >= 0;
    case Kind::kStartsWith:
      return may_begin_with(range);
    default:
      return true;
  }
}

bool FileFilter::Node::may_equal(const ValueRange& range) const {
  const auto before = [&](const std::string& a, const std::string& b) { return compare(a, b) < 0; };
  const auto first = range.lower
                         ? std::lower_bound(values.begin(), values.end(), *range.lower, before)
                         : values.begin();
  const auto last = range.upper
                        ? std::upper_bound(values.begin(), values.end(), *range.upper, before)
                        : values.end();
  if (first >= last) return false;
  if (!range.buckets || static_cast<size_t>(last - first) > kMaxHashedValues) return true;
  return std::any_of(first, last, [&](const std::string& value) {
    const int64_t bucket = bucket_of(type, value, range.buckets->count);
    return range.buckets->first <= bucket && bucket <= range.buckets->last;
  });
}

bool FileFilter::Node::may_begin_with(const ValueRange& range) const {
  const std::string& beginning = values[0];
  if (range.upper && range.upper->compare(beginning) < 0) return false;
  return !range.lower || range.lower->compare(0, beginning.size(), beginning) <= 0;
}

// Gives the ranges of the columns of one file, or of one manifest.
class FileFilter::Ranges {
 public:
  explicit Ranges(size_t columns) : known_(columns) {}
  virtual ~Ranges() = default;
  const ValueRange& of(size_t slot) {
    std::optional<ValueRange>& range = known_[slot];
    if (!range) range = make(slot);
    return *range;
  }

 protected:
  virtual ValueRange make(size_t slot) const = 0;

  // What the fields of a partition spec tell of a column: `transformed` gives the range of each.
  template <class Transformed>
  static ValueRange by_partitions(ValueRange range, const Field& column, const PartitionSpec& spec,
                                  Transformed transformed) {
    for (size_t i = 0; i < spec.fields.size(); ++i) {
      const PartitionField& field = spec.fields[i];
      if (field.source_id != column.id || column.type.is_nested()) continue;
      try {
        const Type type = result_type(field.transform, column.type);
        range =
            intersection(column.type, range,
                         range_of_partition(field.transform, column.type, transformed(i, type)));
      } catch (const Error&) {
        // The column has become another than the one that the files were divided by.
      }
    }
    return range;
  }

 private:
  std::vector<std::optional<ValueRange>> known_;
};

class FileFilter::FileRanges final : public Ranges {
 public:
  FileRanges(const FileFilter& filter, const DataFile& file)
      : Ranges(filter.columns_.size()), filter_(filter), file_(file) {}

 private:
  ValueRange make(size_t slot) const override {
    const Field& column = *filter_.columns_[slot];
    return by_partitions(range_of_statistics(file_, column.id, column.type), column,
                         filter_.metadata_.spec(file_.spec_id), [&](size_t i, const Type& type) {
                           ValueRange range;
                           const auto& value = file_.partition.at(i);
                           range.may_be_null = !value;
                           range.may_be_value = value.has_value();
                           if (value) range.lower = range.upper = value_of(type, *value);
                           return range;
                         });
  }

  const FileFilter& filter_;
  const DataFile& file_;
};

class FileFilter::ManifestRanges final : public Ranges {
 public:
  ManifestRanges(const FileFilter& filter, const ManifestFile& manifest)
      : Ranges(filter.columns_.size()), filter_(filter), manifest_(manifest) {}

 private:
  ValueRange make(size_t slot) const override {
    const Field& column = *filter_.columns_[slot];
    ValueRange unknown;
    const PartitionSpec& spec = filter_.metadata_.spec(manifest_.spec_id);
    if (manifest_.partitions.size() != spec.fields.size()) return unknown;
    return by_partitions(unknown, column, spec, [&](size_t i, const Type& type) {
      const FieldSummary& summary = manifest_.partitions[i];
      ValueRange range;
      range.may_be_null = summary.contains_null;
      // Without bounds all values are NULL or NaN.
      const bool is_floating = type.kind == TypeKind::kFloat || type.kind == TypeKind::kDouble;
      range.may_be_value = summary.lower_bound || is_floating;
      if (summary.lower_bound && is_bound_of(type, *summary.lower_bound)) {
        range.lower = summary.lower_bound;
      }
      if (summary.upper_bound && is_bound_of(type, *summary.upper_bound)) {
        range.upper = summary.upper_bound;
      }
      return range;
    });
  }

  const FileFilter& filter_;
  const ManifestFile& manifest_;
};

FileFilter::FileFilter(const TableMetadata& metadata, const Schema& schema,
                       const engine::Condition& condition)
    : metadata_(metadata), schema_(schema) {
  root_ = std::make_unique<Node>(compiled(condition));
}

FileFilter::~FileFilter() = default;

bool FileFilter::may_match(const DataFile& file) const {
  FileRanges ranges(*this, file);
  return may_match(*root_, ranges);
}

bool FileFilter::may_match(const ManifestFile& manifest) const {
  ManifestRanges ranges(*this, manifest);
  return may_match(*root_, ranges);
}

bool FileFilter::may_exclude() const { return root_->kind != Kind::kUnknown; }

// A part that is not understood is true of any row: of a kAnd it can be dropped, a kOr is it.
FileFilter::Node FileFilter::compiled(const engine::Condition& condition) {
  if (condition.kind != Kind::kAnd && condition.kind != Kind::kOr) {
    return compiled_comparison(condition);
  }
  Node node{.kind = condition.kind};
  for (const engine::Condition& part : condition.parts) {
    Node compiled_part = compiled(part);
    if (compiled_part.kind != Kind::kUnknown) {
      node.parts.push_back(std::move(compiled_part));
    } else if (condition.kind == Kind::kOr) {
      return {};
    }
  }
  if (node.parts.empty()) return {};
  return node;
}

FileFilter::Node FileFilter::compiled_comparison(const engine::Condition& condition) {
  if (condition.kind == Kind::kUnknown || condition.column >= schema_.fields.size()) return {};
  const Field& field = schema_.fields[condition.column];
  const auto type = type_of(condition.type);
  if (!type || field.type.is_nested()) return {};
  Node node{.kind = condition.kind, .own_type = field.type, .type = *type};
  node.is_cast = to_duckdb(field.type) != condition.type;
  const bool is_of_nulls = condition.kind == Kind::kIsNull || condition.kind == Kind::kIsNotNull;
  // A cast may make NULL of a value.
  if (node.is_cast && is_of_nulls) return {};
  if (condition.kind == Kind::kStartsWith && (node.is_cast || type->kind != TypeKind::kString)) {
    return {};
  }
  for (const std::string& text : condition.values) {
    auto value = value_of(*type, text);
    if (!value) return {};
    node.values.push_back(std::move(*value));
  }
  if (node.values.empty() && !is_of_nulls && condition.kind != Kind::kIn) return {};
  std::sort(node.values.begin(), node.values.end(),
            [&](const auto& a, const auto& b) { return compare_single_values(*type, a, b) < 0; });
  node.slot = slot_of(field);
  return node;
}

size_t FileFilter::slot_of(const Field& field) {
  const auto found = std::find(columns_.begin(), columns_.end(), &field);
  if (found != columns_.end()) return static_cast<size_t>(found - columns_.begin());
  columns_.push_back(&field);
  return columns_.size() - 1;
}

bool FileFilter::may_match(const Node& node, Ranges& ranges) {
  const auto matches = [&](const Node& part) { return may_match(part, ranges); };
  switch (node.kind) {
    case Kind::kUnknown:
      return true;
    case Kind::kAnd:
      return std::all_of(node.parts.begin(), node.parts.end(), matches);
    case Kind::kOr:
      return std::any_of(node.parts.begin(), node.parts.end(), matches);
    default:
      return node.may_match(ranges.of(node.slot));
  }
}

}  // namespace headrace::lake
