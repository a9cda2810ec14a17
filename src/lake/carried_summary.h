#pragma once

// What headrace keeps in the summaries of a table's snapshots must outlive the commits of others:
// the positions of the job that writes a table stay true whatever another engine appends, deletes
// or rewrites on top. So each new snapshot takes them over from the one it goes on from.

#include "lake/table.h"

namespace headrace::lake {

// Adds to `snapshot` what it does not say itself of headrace's entries in `previous` (nullptr:
// nothing). What a view says of its inputs is carried by "replace" alone, which changes no row.
void carry_summary(const Snapshot* previous, Snapshot& snapshot);

}  // namespace headrace::lake
