#pragma once

// Ties the project's files to the components: which node and source types there are, and how a
// definition becomes what the modules run.

#include "jobs/job_spec.h"
#include "project/component_type.h"
#include "project/job.h"
#include "project/settings.h"
#include "project/view.h"
#include "query/statement.h"
#include "telemetry/log.h"
#include "views/incremental_view.h"

namespace headrace::app {

// All that `headrace check` looks at.
const project::ComponentTypes& component_types();
// The same without a look into the views' SQL, for which an engine must be started: for a start,
// where the views themselves say what is wrong with them a moment later.
const project::ComponentTypes& quick_component_types();
views::ViewSpec to_view_spec(const project::ViewDefinition& view);
jobs::JobSpec to_job_spec(const project::JobDefinition& job);
telemetry::LogLevel to_log_level(project::LogLevel level);
// What queries may read of a server that listens there.
query::FileAccess to_file_access(project::QueryFileAccess setting,
                                 const project::ListenAddress& listen);

}  // namespace headrace::app
