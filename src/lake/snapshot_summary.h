#pragma once

// The summary of a snapshot: Iceberg's standard counts and the writer's own entries.

#include <vector>

#include "lake/table.h"

namespace headrace::lake {

// `removed`: what the manifests said of the removed files. `parent`: nullptr for the first.
Summary make_summary(const TableChange& change, const std::vector<const DataFile*>& removed,
                     const Snapshot* parent);

}  // namespace headrace::lake
