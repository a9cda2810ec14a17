#include "lake/row_lineage.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace headrace::lake {
namespace {

Field lineage_field(const Schema& schema, int id, std::string name) {
  const auto is_taken = [&] {
    return std::any_of(schema.fields.begin(), schema.fields.end(),
                       [&](const Field& field) { return equal_ignoring_case(field.name, name); });
  };
  while (is_taken()) name.insert(0, "_");
  return {id, name, simple_type(TypeKind::kLong), false, ""};
}

}  // namespace

std::vector<Field> lineage_fields(const Schema& schema) {
  return {lineage_field(schema, kRowIdField, "_row_id"),
          lineage_field(schema, kLastUpdatedField, "_last_updated_sequence_number")};
}

void assign_row_ids(ManifestList& manifests, int64_t next_row_id, Snapshot& snapshot) {
  int64_t next = next_row_id;
  for (ManifestFile& manifest : manifests) {
    if (manifest.content != ManifestContent::kData || manifest.first_row_id) continue;
    manifest.first_row_id = next;
    next += manifest.added_rows + manifest.existing_rows;
  }
  snapshot.first_row_id = next_row_id;
  snapshot.added_rows = next - next_row_id;
}

}  // namespace headrace::lake
