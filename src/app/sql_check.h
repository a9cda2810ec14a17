#pragma once

// Checks the SQL of a project: that of its jobs, and of the views over their tables, in an engine
// of its own without a row. So `headrace check` finds what would otherwise fail when a job starts,
// and a running server refuses it and goes on with what it has.

#include <string>

#include "config/problem.h"
#include "project/project.h"

namespace headrace::app {

void check_sql(const project::Project& project, config::Problems& problems);

// A message of the engine about a view's SQL, at the line that it names.
void add_sql_problem(const project::ViewDefinition& view, const std::string& message,
                     config::Problems& problems);

}  // namespace headrace::app
