#include "lake/column_statistics.h"

#include <charconv>
#include <utility>

#include "base/error.h"
#include "engine/database.h"
#include "lake/single_value.h"

namespace headrace::lake {
namespace {

using engine::MutableVector;
using engine::VectorView;

struct LeafColumn {
  const Field* field = nullptr;
  bool is_repeated = false;  // inside a list or map
};
using LeafColumns = std::map<std::string, LeafColumn>;

void add_leaves(LeafColumns& leaves, const std::string& prefix, const std::vector<Field>& fields,
                bool is_repeated) {
  for (const Field& field : fields) {
    const std::string path = prefix + engine::quote_identifier(field.name);
    if (!field.type.is_nested()) {
      leaves[path] = {&field, is_repeated};
      continue;
    }
    const bool repeats = is_repeated || field.type.kind != TypeKind::kStruct;
    add_leaves(leaves, path + ".", field.type.fields, repeats);
  }
}

std::optional<int64_t> count_named(const TextMap& figures, const std::string& name) {
  const auto found = figures.find(name);
  if (found == figures.end() || !found->second) return std::nullopt;
  const std::string& text = *found->second;
  int64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
    return std::nullopt;
  }
  return value;
}

void put_count(std::map<int, int64_t>& counts, int field_id, std::optional<int64_t> count) {
  if (count) counts[field_id] = *count;
}

// nullopt: it is not told.
std::optional<bool> has_nan(const TextMap& figures) {
  const auto found = figures.find("has_nan");
  if (found == figures.end() || !found->second) return std::nullopt;
  return found->second == "true";
}

void put_bounds(FileFigures& columns, const Field& field, const TextMap& figures) {
  const auto least = figures.find("min");
  const auto greatest = figures.find("max");
  if (has_nan(figures).value_or(false) || least == figures.end() || greatest == figures.end())
    return;
  if (!least->second || !greatest->second) return;
  if (const auto bound = lower_bound_from_text(field.type, *least->second)) {
    columns.lower_bounds[field.id] = *bound;
  }
  if (const auto bound = upper_bound_from_text(field.type, *greatest->second)) {
    columns.upper_bounds[field.id] = *bound;
  }
}

void add_figures(FileFigures& columns, const LeafColumn& column, const TextMap& figures) {
  const int id = column.field->id;
  put_count(columns.column_sizes, id, count_named(figures, "column_size_bytes"));
  if (column.is_repeated) return;
  put_count(columns.value_counts, id, count_named(figures, "num_values"));
  put_count(columns.null_value_counts, id, count_named(figures, "null_count"));
  // How many there are is not told, but when there are none.
  if (has_nan(figures) == false) columns.nan_value_counts[id] = 0;
  put_bounds(columns, *column.field, figures);
}

}  // namespace

TextMap read_text_map(const VectorView& map, size_t row) {
  TextMap result;
  if (map.is_null(row)) return result;
  const auto& entry = map.data<MutableVector::ListEntry>()[row];
  const VectorView pairs = map.list_child();
  const VectorView keys = pairs.struct_child(0);
  const VectorView values = pairs.struct_child(1);
  for (size_t i = entry.offset; i < entry.offset + entry.length; ++i) {
    std::optional<std::string> value;
    if (!values.is_null(i)) value = std::string(values.string(i));
    result[std::string(keys.string(i))] = std::move(value);
  }
  return result;
}

void add_column_statistics(DataFile& file, const Schema& schema, const VectorView& statistics,
                           size_t row) {
  if (statistics.is_null(row)) return;
  FileFigures columns = *file.figures;
  LeafColumns leaves;
  add_leaves(leaves, "", schema.fields, false);
  const auto& entry = statistics.data<MutableVector::ListEntry>()[row];
  const VectorView pairs = statistics.list_child();
  const VectorView paths = pairs.struct_child(0);
  const VectorView figures = pairs.struct_child(1);
  for (size_t i = entry.offset; i < entry.offset + entry.length; ++i) {
    const auto column = leaves.find(std::string(paths.string(i)));
    if (column == leaves.end()) continue;
    add_figures(columns, column->second, read_text_map(figures, i));
  }
  file.figures = std::move(columns);
}

}  // namespace headrace::lake
