#pragma once

// Removes what failed commits, merges and other engines left in a table's folder: files that no
// snapshot and no metadata refers to, and that are older than a margin; and parts of uploads that
// never ended. The margin protects what is being written: files lie there for a while before the
// commit that takes them in.
//
// Files are listed before the metadata is read, so that one which is committed in between counts as
// referred to. Errors: those of the object store and the catalog. Any thread.

#include <cstdint>

#include "base/clock.h"
#include "lake/table.h"

namespace headrace::maintenance {

struct Removed {
  int64_t files = 0;
  int64_t bytes = 0;
};

// Tables with gc.enabled=false are left alone: their files may be needed by others.
Removed remove_orphans(lake::Catalog& catalog, Clock& clock,
                       const lake::TableIdentifier& identifier, milliseconds older_than);

}  // namespace headrace::maintenance
