#pragma once

// The columns that parse nodes have found in the data, and where they are kept between the lives of
// a job: as a property of the tables that hold its rows, written in the commits that need it.

#include <string>

#include "jobs/batch.h"
#include "jobs/compiler.h"
#include "lake/table.h"

namespace headrace::jobs {

inline constexpr const char* kFoundFieldsProperty = "headrace.found-fields";

// {"node": [{"name": …, "type": …}, …]}, the declared ones left out.
std::string found_fields_text(const CompiledJob& job);

// What the job's tables say, for all its nodes that infer columns. A node of which they say nothing
// has the columns of the table that it fills directly, if that is there already.
FoundFields stored_fields(const JobSpec& spec, const CompiledJob& sources, lake::Catalog& catalog);

// Whether every node has found a column or declares one.
bool has_columns(const CompiledJob& sources, const FoundFields& found);

// Makes room for what the batch brings. False: there was room, or there can be none.
bool grow_with(const InputBatch& batch, const CompiledJob& sources, FoundFields& found);

}  // namespace headrace::jobs
