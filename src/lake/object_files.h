#pragma once

// Files of tables in S3 as the SQL engine reads them: by ranges, through a cache on the local disk.
// Thread use: any thread.

#include "engine/database.h"
#include "objects/cached_reader.h"

namespace headrace::lake {

// Once for each database that reads such tables. `reader` must outlive the database.
void register_object_files(engine::Database& database, objects::CachedReader& reader);

}  // namespace headrace::lake
