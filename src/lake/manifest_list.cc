// Manifest lists to bytes and back, and what they say of a manifest.

#include <algorithm>

#include "base/error.h"
#include "lake/avro_file.h"
#include "lake/manifest.h"
#include "lake/manifest_schema.h"
#include "lake/single_value.h"

namespace headrace::lake {
namespace {

namespace list_id = manifest_list_field;

AvroValue text_or_null(const std::optional<std::string>& text) {
  return text ? AvroValue(*text) : AvroValue();
}

AvroValue partitions_value(const std::vector<FieldSummary>& partitions) {
  if (partitions.empty()) return {};
  AvroValues values;
  for (const FieldSummary& summary : partitions) {
    values.push_back(
        avro_record({summary.contains_null,
                     summary.contains_nan ? AvroValue(*summary.contains_nan) : AvroValue(),
                     text_or_null(summary.lower_bound), text_or_null(summary.upper_bound)}));
  }
  return values;
}

AvroValue manifest_value(const ManifestFile& manifest, int format_version) {
  AvroValues values{manifest.path,
                    manifest.length,
                    manifest.spec_id,
                    static_cast<int>(manifest.content),
                    manifest.sequence_number,
                    manifest.min_sequence_number,
                    manifest.added_snapshot_id,
                    manifest.added_files,
                    manifest.existing_files,
                    manifest.deleted_files,
                    manifest.added_rows,
                    manifest.existing_rows,
                    manifest.deleted_rows,
                    partitions_value(manifest.partitions)};
  if (format_version >= 3) {
    values.push_back(manifest.first_row_id ? AvroValue(*manifest.first_row_id) : AvroValue());
  }
  return avro_record(std::move(values));
}

int64_t integer_or(const AvroValue& row, int field, int64_t otherwise) {
  const AvroValue& value = row.field(field);
  return value.is_null() ? otherwise : value.integer();
}

std::optional<std::string> bytes_of(const AvroValue& value) {
  if (value.is_null()) return std::nullopt;
  return value.bytes();
}

FieldSummary summary_of(const AvroValue& value) {
  FieldSummary summary;
  summary.contains_null = value.field(list_id::kContainsNull).boolean();
  if (const AvroValue& nan = value.field(list_id::kContainsNan); !nan.is_null()) {
    summary.contains_nan = nan.boolean();
  }
  summary.lower_bound = bytes_of(value.field(list_id::kLowerBound));
  summary.upper_bound = bytes_of(value.field(list_id::kUpperBound));
  return summary;
}

ManifestFile manifest_of(const AvroValue& row) {
  ManifestFile manifest;
  manifest.path = row.field(list_id::kPath).bytes();
  manifest.length = row.field(list_id::kLength).integer();
  manifest.spec_id = static_cast<int>(row.field(list_id::kSpecId).integer());
  manifest.content = integer_or(row, list_id::kContent, 0) == 0 ? ManifestContent::kData
                                                                : ManifestContent::kDeletes;
  manifest.sequence_number = integer_or(row, list_id::kSequenceNumber, 0);
  manifest.min_sequence_number = integer_or(row, list_id::kMinSequenceNumber, 0);
  manifest.added_snapshot_id = integer_or(row, list_id::kAddedSnapshotId, 0);
  manifest.added_files = integer_or(row, list_id::kAddedFiles, 0);
  manifest.existing_files = integer_or(row, list_id::kExistingFiles, 0);
  manifest.deleted_files = integer_or(row, list_id::kDeletedFiles, 0);
  manifest.added_rows = integer_or(row, list_id::kAddedRows, 0);
  manifest.existing_rows = integer_or(row, list_id::kExistingRows, 0);
  manifest.deleted_rows = integer_or(row, list_id::kDeletedRows, 0);
  if (const AvroValue& first = row.field(list_id::kFirstRowId); !first.is_null()) {
    if (manifest.content == ManifestContent::kData) manifest.first_row_id = first.integer();
  }
  if (const AvroValue& partitions = row.field(list_id::kPartitions); !partitions.is_null()) {
    for (const AvroValue& value : partitions.array()) {
      manifest.partitions.push_back(summary_of(value));
    }
  }
  return manifest;
}

void count(ManifestFile& manifest, const ManifestEntry& entry) {
  switch (entry.status) {
    case EntryStatus::kAdded:
      ++manifest.added_files;
      manifest.added_rows += entry.file.record_count;
      return;
    case EntryStatus::kExisting:
      ++manifest.existing_files;
      manifest.existing_rows += entry.file.record_count;
      return;
    case EntryStatus::kDeleted:
      ++manifest.deleted_files;
      manifest.deleted_rows += entry.file.record_count;
      return;
  }
}

bool is_nan_text(const Type& type, const std::string& text) {
  return (type.kind == TypeKind::kFloat || type.kind == TypeKind::kDouble) &&
         (text == "nan" || text == "-nan");
}

void widen(FieldSummary& summary, const Type& type, const std::optional<std::string>& text) {
  if (!text) {
    summary.contains_null = true;
    return;
  }
  if (is_nan_text(type, *text)) {
    summary.contains_nan = true;
    return;
  }
  const std::string value = single_value_from_text(type, *text);
  if (!summary.lower_bound || compare_single_values(type, value, *summary.lower_bound) < 0) {
    summary.lower_bound = value;
  }
  if (!summary.upper_bound || compare_single_values(type, value, *summary.upper_bound) > 0) {
    summary.upper_bound = value;
  }
}

}  // namespace

ManifestFile summarize(const Schema& schema, const PartitionSpec& spec,
                       const ManifestEntries& entries) {
  ManifestFile manifest;
  manifest.spec_id = spec.spec_id;
  if (!entries.empty()) manifest.content = manifest_content_of(entries.front().file.content);
  for (const ManifestEntry& entry : entries) count(manifest, entry);
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    const Type type = partition_value_type(schema, spec.fields[i]);
    FieldSummary summary;
    summary.contains_nan = false;
    for (const ManifestEntry& entry : entries) widen(summary, type, entry.file.partition.at(i));
    manifest.partitions.push_back(std::move(summary));
  }
  return manifest;
}

std::string write_manifest_list(const ManifestList& manifests, const Snapshot& snapshot,
                                std::string_view sync_marker, int format_version) {
  AvroValues rows;
  rows.reserve(manifests.size());
  for (const ManifestFile& manifest : manifests)
    rows.push_back(manifest_value(manifest, format_version));
  const AvroMetadata metadata{
      {"snapshot-id", format("{}", snapshot.snapshot_id)},
      {"parent-snapshot-id",
       snapshot.parent_snapshot_id ? format("{}", *snapshot.parent_snapshot_id) : "null"},
      {"sequence-number", format("{}", snapshot.sequence_number)},
      {"format-version", format("{}", format_version)}};
  return write_avro_file(manifest_list_schema(format_version), metadata, rows, sync_marker);
}

ManifestList read_manifest_list(std::string_view bytes) {
  const AvroContent content = read_avro_file(bytes);
  ManifestList manifests;
  manifests.reserve(content.rows.size());
  for (const AvroValue& row : content.rows) manifests.push_back(manifest_of(row));
  return manifests;
}

}  // namespace headrace::lake
