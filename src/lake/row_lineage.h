#pragma once

// Row ids (spec, "Row Lineage", format version 3): each row of a table has one that stays when the
// row is moved to another file. Data files and manifests inherit theirs from the snapshot that
// added them. Pure functions, any thread.

#include "lake/manifest.h"

namespace headrace::lake {

// Reserved field ids.
inline constexpr int kRowIdField = 2147483540;
inline constexpr int kLastUpdatedField = 2147483539;

// The columns that moved rows bring along: their ids, and which commit changed them last. Their
// names are none of the schema's. NULL in rows that have no id.
std::vector<Field> lineage_fields(const Schema& schema);

// Gives the data manifests that have no first row id one, from `next_row_id` on, and says in
// `snapshot` which ids it takes.
void assign_row_ids(ManifestList& manifests, int64_t next_row_id, Snapshot& snapshot);

}  // namespace headrace::lake
