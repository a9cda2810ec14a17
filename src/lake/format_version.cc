#include "lake/format_version.h"

#include "base/error.h"

namespace headrace::lake {

void check_format_version(int64_t version, const std::string& doing) {
  if (version >= kDefaultFormatVersion && version <= kNewestFormatVersion) return;
  fail(ErrorKind::kUnsupported, "{}: format version {} is not possible; headrace knows {} and {}",
       doing, version, kDefaultFormatVersion, kNewestFormatVersion);
}

void upgrade_format(TableMetadata& metadata, int64_t version, const std::string& doing) {
  if (version < metadata.format_version) {
    fail(ErrorKind::kInvalid, "{}: from format version {} there is no way back to {}", doing,
         metadata.format_version, version);
  }
  check_format_version(version, doing);
  if (version == metadata.format_version) return;
  metadata.format_version = static_cast<int>(version);
  metadata.next_row_id = 0;
}

}  // namespace headrace::lake
