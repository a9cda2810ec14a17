#pragma once

// About how many bytes of memory parsed manifests take, for caches to be bounded by: most of it is
// what is told of each column.

#include <cstddef>

#include "lake/manifest.h"

namespace headrace::lake {

size_t footprint(const ManifestEntries& entries);
size_t footprint(const ManifestList& manifests);

}  // namespace headrace::lake
