#pragma once

// What the JSON records of a batch bring, whatever the columns are.

#include <string>

#include "jobs/batch.h"
#include "jobs/parse/found_type.h"

namespace headrace::jobs::parse {

// The members of all records of the topic as those of one object. Records that are no JSON objects
// are left out.
FoundType look_at_records(const InputBatch& batch, const std::string& topic);

}  // namespace headrace::jobs::parse
