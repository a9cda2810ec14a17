#pragma once

// The Avro schemas of manifests and manifest lists, with the field ids of Iceberg formats v2 and
// v3.

#include "base/json.h"
#include "lake/types.h"

namespace headrace::lake {

// Ids of fields in manifests (spec, "Manifests").
namespace manifest_field {
inline constexpr int kStatus = 0;
inline constexpr int kSnapshotId = 1;
inline constexpr int kDataFile = 2;
inline constexpr int kSequenceNumber = 3;
inline constexpr int kFileSequenceNumber = 4;
inline constexpr int kFilePath = 100;
inline constexpr int kFileFormat = 101;
inline constexpr int kPartition = 102;
inline constexpr int kRecordCount = 103;
inline constexpr int kFileSize = 104;
inline constexpr int kColumnSizes = 108;
inline constexpr int kValueCounts = 109;
inline constexpr int kNullValueCounts = 110;
inline constexpr int kLowerBounds = 125;
inline constexpr int kUpperBounds = 128;
inline constexpr int kSplitOffsets = 132;
inline constexpr int kKeyMetadata = 131;
inline constexpr int kContent = 134;
inline constexpr int kEqualityIds = 135;
inline constexpr int kNanValueCounts = 137;
inline constexpr int kSortOrderId = 140;
inline constexpr int kFirstRowId = 142;
inline constexpr int kReferencedDataFile = 143;
inline constexpr int kContentOffset = 144;
inline constexpr int kContentSize = 145;
}  // namespace manifest_field

// Ids of fields in manifest lists (spec, "Manifest Lists").
namespace manifest_list_field {
inline constexpr int kPath = 500;
inline constexpr int kLength = 501;
inline constexpr int kSpecId = 502;
inline constexpr int kAddedSnapshotId = 503;
inline constexpr int kAddedFiles = 504;
inline constexpr int kExistingFiles = 505;
inline constexpr int kDeletedFiles = 506;
inline constexpr int kPartitions = 507;
inline constexpr int kContainsNull = 509;
inline constexpr int kLowerBound = 510;
inline constexpr int kUpperBound = 511;
inline constexpr int kAddedRows = 512;
inline constexpr int kExistingRows = 513;
inline constexpr int kDeletedRows = 514;
inline constexpr int kSequenceNumber = 515;
inline constexpr int kMinSequenceNumber = 516;
inline constexpr int kContent = 517;
inline constexpr int kContainsNan = 518;
inline constexpr int kFirstRowId = 520;
}  // namespace manifest_list_field

// The type of a partition field's values. A source column that was dropped since gives string.
Type partition_value_type(const Schema& schema, const PartitionField& field);

Json manifest_schema(const Schema& schema, const PartitionSpec& spec, int format_version);
const Json& manifest_list_schema(int format_version);

}  // namespace headrace::lake
