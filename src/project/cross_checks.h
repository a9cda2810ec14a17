#pragma once

// What must hold between the files of a project.

#include "project/project.h"

namespace headrace::project {

// Reports names that stand twice, topics that nobody declares (and adds those that will be
// created), tables that are written from two places.
void check_across_files(Project& project, config::Problems& problems);

}  // namespace headrace::project
