#pragma once

// What the answers about tables, jobs and dead letters hold (lakehouse.h), as JSON Schemas.

#include "base/json.h"

namespace headrace::server::schema {

JsonObject status();
JsonObject tables();
JsonObject table();
JsonObject table_files();
JsonObject table_history();
JsonObject snapshot();
JsonObject optimized();
JsonObject expired();
JsonObject jobs();
JsonObject job();          // as it stands, with its nodes
JsonObject running_job();  // after it was paused, resumed or begun
JsonObject dead_letters();
JsonObject dead_letter();
JsonObject replayed();

}  // namespace headrace::server::schema
