#include "lake/manifest_schema.h"

#include "base/error.h"
#include "lake/decimal.h"
#include "lake/transform.h"

namespace headrace::lake {
namespace {

Json required(int id, std::string_view name, Json type) {
  return JsonObject{{"name", name}, {"type", std::move(type)}, {"field-id", id}};
}

Json optional(int id, std::string_view name, Json type) {
  return JsonObject{{"name", name},
                    {"type", JsonArray{"null", std::move(type)}},
                    {"default", nullptr},
                    {"field-id", id}};
}

// A map with keys that are no strings is an array of pairs.
Json map_of_int(int key_id, int value_id, std::string_view value_type) {
  return JsonObject{
      {"type", "array"},
      {"logicalType", "map"},
      {"items", JsonObject{{"type", "record"},
                           {"name", format("k{}_v{}", key_id, value_id)},
                           {"fields", JsonArray{required(key_id, "key", "int"),
                                                required(value_id, "value", Json(value_type))}}}}};
}

Json list_of(int element_id, Json items) {
  return JsonObject{{"type", "array"}, {"items", std::move(items)}, {"element-id", element_id}};
}

Json logical(std::string_view type, std::string_view logical_type) {
  return JsonObject{{"type", type}, {"logicalType", logical_type}};
}

Json timestamp(bool adjust_to_utc) {
  return JsonObject{
      {"type", "long"}, {"logicalType", "timestamp-micros"}, {"adjust-to-utc", adjust_to_utc}};
}

Json partition_avro_type(const Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return "boolean";
    case TypeKind::kInt:
      return "int";
    case TypeKind::kLong:
      return "long";
    case TypeKind::kFloat:
      return "float";
    case TypeKind::kDouble:
      return "double";
    case TypeKind::kDate:
      return logical("int", "date");
    case TypeKind::kTime:
      return logical("long", "time-micros");
    case TypeKind::kTimestamp:
      return timestamp(false);
    case TypeKind::kTimestamptz:
      return timestamp(true);
    case TypeKind::kString:
      return "string";
    case TypeKind::kBinary:
      return "bytes";
    case TypeKind::kUuid:
      return JsonObject{
          {"type", "fixed"}, {"name", "uuid_fixed"}, {"size", 16}, {"logicalType", "uuid"}};
    case TypeKind::kFixed:
      return JsonObject{
          {"type", "fixed"}, {"name", format("fixed_{}", type.length)}, {"size", type.length}};
    case TypeKind::kDecimal:
      return JsonObject{{"type", "fixed"},
                        {"name", format("decimal_{}_{}", type.precision, type.scale)},
                        {"size", decimal_fixed_size(type.precision)},
                        {"logicalType", "decimal"},
                        {"precision", type.precision},
                        {"scale", type.scale}};
    default:
      fail(ErrorKind::kInternal, "writing a manifest: a partition value is nested");
  }
}

// Avro defines a named type once; further uses give its name.
Json defined_once(Json type, std::vector<std::string>& defined) {
  if (!type.is_object() || find_member(type, "name") == nullptr) return type;
  const std::string name = string_member(type, "name");
  for (const std::string& known : defined) {
    if (known == name) return Json(name);
  }
  defined.push_back(name);
  return type;
}

// Avro allows only letters, digits and underscores in names; readers go by the field id.
std::string avro_name(const std::string& name) {
  std::string safe;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = c >= '0' && c <= '9';
    if (letter || (digit && !safe.empty())) {
      safe += c;
    } else if (digit) {
      safe += format("_{}", c);
    } else {
      safe += format("_x{:X}", static_cast<uint8_t>(c));
    }
  }
  return safe;
}

Json partition_record(const Schema& schema, const PartitionSpec& spec) {
  JsonArray fields;
  std::vector<std::string> defined;
  for (const PartitionField& field : spec.fields) {
    Json type = defined_once(partition_avro_type(partition_value_type(schema, field)), defined);
    fields.push_back(optional(field.field_id, avro_name(field.name), std::move(type)));
  }
  return JsonObject{{"type", "record"}, {"name", "r102"}, {"fields", std::move(fields)}};
}

Json data_file_record(const Schema& schema, const PartitionSpec& spec, int format_version) {
  namespace id = manifest_field;
  JsonArray fields{
      required(id::kContent, "content", "int"),
      required(id::kFilePath, "file_path", "string"),
      required(id::kFileFormat, "file_format", "string"),
      required(id::kPartition, "partition", partition_record(schema, spec)),
      required(id::kRecordCount, "record_count", "long"),
      required(id::kFileSize, "file_size_in_bytes", "long"),
      optional(id::kColumnSizes, "column_sizes", map_of_int(117, 118, "long")),
      optional(id::kValueCounts, "value_counts", map_of_int(119, 120, "long")),
      optional(id::kNullValueCounts, "null_value_counts", map_of_int(121, 122, "long")),
      optional(id::kNanValueCounts, "nan_value_counts", map_of_int(138, 139, "long")),
      optional(id::kLowerBounds, "lower_bounds", map_of_int(126, 127, "bytes")),
      optional(id::kUpperBounds, "upper_bounds", map_of_int(129, 130, "bytes")),
      optional(id::kSplitOffsets, "split_offsets", list_of(133, "long")),
      optional(id::kEqualityIds, "equality_ids", list_of(136, "int")),
      optional(id::kSortOrderId, "sort_order_id", "int"),
      optional(id::kReferencedDataFile, "referenced_data_file", "string")};
  if (format_version >= 3) {
    fields.push_back(optional(id::kFirstRowId, "first_row_id", "long"));
    fields.push_back(optional(id::kContentOffset, "content_offset", "long"));
    fields.push_back(optional(id::kContentSize, "content_size_in_bytes", "long"));
  }
  return JsonObject{{"type", "record"}, {"name", "r2"}, {"fields", std::move(fields)}};
}

Json make_manifest_list_schema(int format_version) {
  namespace id = manifest_list_field;
  const Json summary =
      JsonObject{{"type", "record"},
                 {"name", "r508"},
                 {"fields", JsonArray{required(id::kContainsNull, "contains_null", "boolean"),
                                      optional(id::kContainsNan, "contains_nan", "boolean"),
                                      optional(id::kLowerBound, "lower_bound", "bytes"),
                                      optional(id::kUpperBound, "upper_bound", "bytes")}}};
  JsonArray fields{required(id::kPath, "manifest_path", "string"),
                   required(id::kLength, "manifest_length", "long"),
                   required(id::kSpecId, "partition_spec_id", "int"),
                   required(id::kContent, "content", "int"),
                   required(id::kSequenceNumber, "sequence_number", "long"),
                   required(id::kMinSequenceNumber, "min_sequence_number", "long"),
                   required(id::kAddedSnapshotId, "added_snapshot_id", "long"),
                   required(id::kAddedFiles, "added_files_count", "int"),
                   required(id::kExistingFiles, "existing_files_count", "int"),
                   required(id::kDeletedFiles, "deleted_files_count", "int"),
                   required(id::kAddedRows, "added_rows_count", "long"),
                   required(id::kExistingRows, "existing_rows_count", "long"),
                   required(id::kDeletedRows, "deleted_rows_count", "long"),
                   optional(id::kPartitions, "partitions", list_of(508, summary))};
  if (format_version >= 3) fields.push_back(optional(id::kFirstRowId, "first_row_id", "long"));
  return JsonObject{{"type", "record"}, {"name", "manifest_file"}, {"fields", std::move(fields)}};
}

}  // namespace

Type partition_value_type(const Schema& schema, const PartitionField& field) {
  const Field* source = schema.find_id(field.source_id);
  if (source == nullptr) return simple_type(TypeKind::kString);
  return result_type(field.transform, source->type);
}

Json manifest_schema(const Schema& schema, const PartitionSpec& spec, int format_version) {
  namespace id = manifest_field;
  JsonArray fields{
      required(id::kStatus, "status", "int"), optional(id::kSnapshotId, "snapshot_id", "long"),
      optional(id::kSequenceNumber, "sequence_number", "long"),
      optional(id::kFileSequenceNumber, "file_sequence_number", "long"),
      required(id::kDataFile, "data_file", data_file_record(schema, spec, format_version))};
  return JsonObject{{"type", "record"}, {"name", "manifest_entry"}, {"fields", std::move(fields)}};
}

const Json& manifest_list_schema(int format_version) {
  static const Json of_2 = make_manifest_list_schema(2);
  static const Json of_3 = make_manifest_list_schema(3);
  return format_version >= 3 ? of_3 : of_2;
}

}  // namespace headrace::lake
