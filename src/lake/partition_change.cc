#include "lake/partition_change.h"

#include <algorithm>

namespace headrace::lake {
namespace {

bool same_fields(const PartitionSpec& a, const PartitionSpec& b) {
  return std::equal(a.fields.begin(), a.fields.end(), b.fields.begin(), b.fields.end(),
                    [](const PartitionField& x, const PartitionField& y) {
                      return x.source_id == y.source_id && x.name == y.name &&
                             to_text(x.transform) == to_text(y.transform);
                    });
}

int field_id_of(const PartitionField& field, TableMetadata& metadata) {
  for (const PartitionSpec& spec : metadata.partition_specs) {
    for (const PartitionField& known : spec.fields) {
      if (known.source_id == field.source_id &&
          to_text(known.transform) == to_text(field.transform)) {
        return known.field_id;
      }
    }
  }
  return ++metadata.last_partition_id;
}

PartitionSpec spec_of(const TableMetadata& metadata, const std::vector<std::string>& partition_by) {
  PartitionSpec spec;
  for (const std::string& text : partition_by) {
    spec.fields.push_back(parse_partition_field(text, metadata.current_schema(), 0));
  }
  return spec;
}

}  // namespace

int add_partition_spec(TableMetadata& metadata, PartitionSpec spec) {
  int next_id = 0;
  for (const PartitionSpec& known : metadata.partition_specs) {
    if (same_fields(known, spec)) return known.spec_id;
    next_id = std::max(next_id, known.spec_id + 1);
  }
  for (PartitionField& field : spec.fields) {
    if (field.field_id == 0) field.field_id = field_id_of(field, metadata);
    metadata.last_partition_id = std::max(metadata.last_partition_id, field.field_id);
  }
  spec.spec_id = next_id;
  metadata.partition_specs.push_back(std::move(spec));
  return next_id;
}

bool is_partitioned_by(const TableMetadata& metadata,
                       const std::vector<std::string>& partition_by) {
  // The names of partition fields are their makers' own.
  const PartitionSpec wanted = spec_of(metadata, partition_by);
  const PartitionSpec& present = metadata.default_spec();
  return std::equal(wanted.fields.begin(), wanted.fields.end(), present.fields.begin(),
                    present.fields.end(), [](const PartitionField& x, const PartitionField& y) {
                      return x.source_id == y.source_id &&
                             to_text(x.transform) == to_text(y.transform);
                    });
}

void set_partitioning(TableMetadata& metadata, const std::vector<std::string>& partition_by) {
  if (is_partitioned_by(metadata, partition_by)) return;
  metadata.default_spec_id = add_partition_spec(metadata, spec_of(metadata, partition_by));
}

}  // namespace headrace::lake
