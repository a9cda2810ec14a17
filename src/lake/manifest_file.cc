// Manifests to bytes and back.

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/text.h"
#include "lake/avro_file.h"
#include "lake/decimal.h"
#include "lake/manifest.h"
#include "lake/manifest_schema.h"
#include "lake/single_value.h"

namespace headrace::lake {
namespace {

namespace id = manifest_field;

template <class Value>
AvroValue map_value(const std::map<int, Value>& map) {
  if (map.empty()) return {};
  AvroValues pairs;
  for (const auto& [key, value] : map) pairs.push_back(avro_record({key, value}));
  return pairs;
}

template <class Number>
AvroValue numbers_value(const std::vector<Number>& numbers) {
  if (numbers.empty()) return {};
  return AvroValues(numbers.begin(), numbers.end());
}

AvroValue partition_value(const Type& type, const std::optional<std::string>& text) {
  if (!text) return {};
  switch (type.kind) {
    case TypeKind::kBoolean:
      return *text == "true";
    case TypeKind::kInt:
    case TypeKind::kLong:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz:
      return integer_from_text(type, *text);
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      return std::stod(*text);
    case TypeKind::kDecimal:
      return decimal_to_fixed(decimal_from_text(*text, type.scale),
                              decimal_fixed_size(type.precision));
    default:
      return single_value_from_text(type, *text);
  }
}

std::optional<std::string> partition_text(const Type& type, const AvroValue& value) {
  if (value.is_null()) return std::nullopt;
  switch (type.kind) {
    case TypeKind::kBoolean:
      return value.boolean() ? "true" : "false";
    case TypeKind::kInt:
    case TypeKind::kLong:
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz:
      return integer_to_text(type, value.integer());
    case TypeKind::kFloat:
      return format("{}", static_cast<float>(value.number()));
    case TypeKind::kDouble:
      return format("{}", value.number());
    default:
      return single_value_to_text(type, value.bytes());
  }
}

std::vector<Type> partition_types(const Schema& schema, const PartitionSpec& spec) {
  std::vector<Type> types;
  for (const PartitionField& field : spec.fields) {
    types.push_back(partition_value_type(schema, field));
  }
  return types;
}

AvroValue number_or_null(std::optional<int64_t> number) {
  return number ? AvroValue(*number) : AvroValue();
}

AvroValue data_file_value(const DataFile& file, const std::vector<Type>& types, bool inherits,
                          int format_version) {
  if (file.partition.size() != types.size()) {
    fail(ErrorKind::kInternal, "writing a manifest: {} has {} partition values for {} fields",
         file.path, file.partition.size(), types.size());
  }
  AvroValues partition;
  for (size_t i = 0; i < types.size(); ++i) {
    partition.push_back(partition_value(types[i], file.partition[i]));
  }
  const FileFigures& figures = *file.figures;
  AvroValues values{
      static_cast<int>(file.content),
      file.path,
      file.is_deletion_vector() ? "PUFFIN" : "PARQUET",
      avro_record(std::move(partition)),
      file.record_count,
      file.file_size_bytes,
      map_value(figures.column_sizes),
      map_value(figures.value_counts),
      map_value(figures.null_value_counts),
      map_value(figures.nan_value_counts),
      map_value(figures.lower_bounds),
      map_value(figures.upper_bounds),
      numbers_value(figures.split_offsets),
      numbers_value(file.equality_ids),
      file.sort_order_id ? AvroValue(*file.sort_order_id) : AvroValue(),
      file.referenced_data_file ? AvroValue(*file.referenced_data_file) : AvroValue()};
  if (format_version >= 3) {
    values.push_back(inherits ? AvroValue() : number_or_null(file.first_row_id));
    values.push_back(number_or_null(file.content_offset));
    values.push_back(number_or_null(file.content_size_bytes));
  }
  return avro_record(std::move(values));
}

AvroValue entry_value(const ManifestEntry& entry, const std::vector<Type>& types,
                      int format_version) {
  const bool inherits = entry.status == EntryStatus::kAdded;
  return avro_record({static_cast<int>(entry.status), entry.snapshot_id,
                      inherits ? AvroValue() : AvroValue(entry.sequence_number),
                      inherits ? AvroValue() : AvroValue(entry.file_sequence_number),
                      data_file_value(entry.file, types, inherits, format_version)});
}

int64_t required_integer(const AvroValue& row, int field, std::string_view name) {
  const AvroValue& value = row.field(field);
  if (value.is_null()) fail(ErrorKind::kCorrupt, "reading a manifest: {} is missing", name);
  return value.integer();
}

int64_t integer_or(const AvroValue& value, int64_t otherwise) {
  return value.is_null() ? otherwise : value.integer();
}

std::map<int, int64_t> counts_of(const AvroValue& value) {
  std::map<int, int64_t> counts;
  if (value.is_null()) return counts;
  for (const AvroValue& pair : value.array()) {
    counts[static_cast<int>(pair.record().values.at(0).integer())] =
        pair.record().values.at(1).integer();
  }
  return counts;
}

std::map<int, std::string> bounds_of(const AvroValue& value) {
  std::map<int, std::string> bounds;
  if (value.is_null()) return bounds;
  for (const AvroValue& pair : value.array()) {
    bounds[static_cast<int>(pair.record().values.at(0).integer())] =
        pair.record().values.at(1).bytes();
  }
  return bounds;
}

std::optional<int64_t> number_of(const AvroValue& value) {
  return value.is_null() ? std::nullopt : std::optional(value.integer());
}

// A deletion vector that readers could not find, or would not apply, must not be passed over.
void read_content_place(DataFile& file, const AvroValue& value) {
  file.content_offset = number_of(value.field(id::kContentOffset));
  file.content_size_bytes = number_of(value.field(id::kContentSize));
  const std::string file_format =
      value.field(id::kFileFormat).is_null() ? std::string() : value.field(id::kFileFormat).bytes();
  const bool is_puffin = equal_ignoring_case(file_format, "puffin");
  if (!is_puffin && !file.content_offset) return;
  const bool is_whole = is_puffin && file.content == FileContent::kPositionDeletes &&
                        file.referenced_data_file && file.content_offset.value_or(-1) >= 0 &&
                        file.content_size_bytes.value_or(-1) > 0;
  if (is_whole) return;
  fail(ErrorKind::kCorrupt,
       "reading a manifest: the deletion vector in {} must be a Puffin blob of position deletes "
       "with referenced_data_file, content_offset and content_size_in_bytes",
       file.path);
}

FileFigures figures_of(const AvroValue& value) {
  FileFigures figures;
  figures.column_sizes = counts_of(value.field(id::kColumnSizes));
  figures.value_counts = counts_of(value.field(id::kValueCounts));
  figures.null_value_counts = counts_of(value.field(id::kNullValueCounts));
  figures.nan_value_counts = counts_of(value.field(id::kNanValueCounts));
  figures.lower_bounds = bounds_of(value.field(id::kLowerBounds));
  figures.upper_bounds = bounds_of(value.field(id::kUpperBounds));
  if (const AvroValue& offsets = value.field(id::kSplitOffsets); !offsets.is_null()) {
    for (const AvroValue& offset : offsets.array()) {
      figures.split_offsets.push_back(offset.integer());
    }
  }
  return figures;
}

DataFile data_file_of(const AvroValue& value, const PartitionSpec& spec,
                      const std::vector<Type>& types) {
  DataFile file;
  const int64_t content = integer_or(value.field(id::kContent), 0);
  if (content < 0 || content > 2) {
    fail(ErrorKind::kCorrupt, "reading a manifest: a file has content {}", content);
  }
  file.content = static_cast<FileContent>(content);
  file.path = value.field(id::kFilePath).bytes();
  file.spec_id = spec.spec_id;
  const AvroValue& partition = value.field(id::kPartition);
  for (size_t i = 0; i < types.size(); ++i) {
    file.partition.push_back(partition_text(types[i], partition.field(spec.fields[i].field_id)));
  }
  file.record_count = required_integer(value, id::kRecordCount, "record_count");
  file.file_size_bytes = required_integer(value, id::kFileSize, "file_size_in_bytes");
  file.figures = figures_of(value);
  if (const AvroValue& ids = value.field(id::kEqualityIds); !ids.is_null()) {
    for (const AvroValue& field : ids.array()) {
      file.equality_ids.push_back(static_cast<int>(field.integer()));
    }
  }
  if (const AvroValue& path = value.field(id::kReferencedDataFile); !path.is_null()) {
    file.referenced_data_file = path.bytes();
  }
  if (const AvroValue& order = value.field(id::kSortOrderId); !order.is_null()) {
    file.sort_order_id = static_cast<int>(order.integer());
  }
  if (!value.field(id::kKeyMetadata).is_null()) {
    fail(ErrorKind::kUnsupported,
         "reading a manifest: {} is encrypted, which headrace does not read", file.path);
  }
  if (file.content == FileContent::kData) {
    file.first_row_id = number_of(value.field(id::kFirstRowId));
  }
  read_content_place(file, value);
  return file;
}

ManifestEntry entry_of(const AvroValue& row, const ManifestFile& manifest,
                       const PartitionSpec& spec, const std::vector<Type>& types) {
  ManifestEntry entry;
  const int64_t status = required_integer(row, id::kStatus, "status");
  if (status < 0 || status > 2) {
    fail(ErrorKind::kCorrupt, "reading a manifest: an entry has status {}", status);
  }
  entry.status = static_cast<EntryStatus>(status);
  entry.snapshot_id = integer_or(row.field(id::kSnapshotId), manifest.added_snapshot_id);
  entry.sequence_number = integer_or(row.field(id::kSequenceNumber), manifest.sequence_number);
  entry.file_sequence_number =
      integer_or(row.field(id::kFileSequenceNumber), manifest.sequence_number);
  entry.file = data_file_of(row.field(id::kDataFile), spec, types);
  entry.file.sequence_number = entry.sequence_number;
  entry.file.added_snapshot_id = entry.snapshot_id;
  return entry;
}

// Live data files without a first row id get theirs from the manifest's, one after the other (spec,
// "First Row ID Inheritance").
void inherit_row_ids(ManifestEntries& entries, const ManifestFile& manifest) {
  if (!manifest.first_row_id) return;
  int64_t next = *manifest.first_row_id;
  for (ManifestEntry& entry : entries) {
    DataFile& file = entry.file;
    const bool inherits = file.content == FileContent::kData && !file.first_row_id &&
                          entry.status != EntryStatus::kDeleted;
    if (!inherits) continue;
    file.first_row_id = next;
    next += file.record_count;
  }
}

}  // namespace

ManifestContent manifest_content_of(FileContent content) {
  return content == FileContent::kData ? ManifestContent::kData : ManifestContent::kDeletes;
}

std::string write_manifest(const Schema& schema, const PartitionSpec& spec,
                           const ManifestEntries& entries, std::string_view sync_marker,
                           int format_version) {
  const bool is_data = entries.empty() ||
                       manifest_content_of(entries.front().file.content) == ManifestContent::kData;
  const std::vector<Type> types = partition_types(schema, spec);
  AvroValues rows;
  rows.reserve(entries.size());
  for (const ManifestEntry& entry : entries) {
    rows.push_back(entry_value(entry, types, format_version));
  }
  const AvroMetadata metadata{{"schema", to_text(to_json(schema))},
                              {"schema-id", format("{}", schema.schema_id)},
                              {"partition-spec", to_text(member(to_json(spec), "fields"))},
                              {"partition-spec-id", format("{}", spec.spec_id)},
                              {"format-version", format("{}", format_version)},
                              {"content", is_data ? "data" : "deletes"}};
  return write_avro_file(manifest_schema(schema, spec, format_version), metadata, rows,
                         sync_marker);
}

ManifestEntries read_manifest(std::string_view bytes, const ManifestFile& manifest,
                              const Schema& schema, const PartitionSpec& spec) {
  const AvroContent content = read_avro_file(bytes);
  const std::vector<Type> types = partition_types(schema, spec);
  ManifestEntries entries;
  entries.reserve(content.rows.size());
  for (const AvroValue& row : content.rows) entries.push_back(entry_of(row, manifest, spec, types));
  inherit_row_ids(entries, manifest);
  return entries;
}

}  // namespace headrace::lake
