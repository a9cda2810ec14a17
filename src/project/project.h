#pragma once

// A whole project folder, read and checked: headrace.yaml, topics, sources, jobs and views.
//
// Loading reads files and connects to nothing. Whatever is wrong in any file becomes a problem;
// only a folder that cannot be read at all throws. A Project with errors must not be run.
// Thread use: a loaded Project is a value; any number of threads may read it.

#include <string>
#include <vector>

#include "base/file_system.h"
#include "config/environment.h"
#include "config/problem.h"
#include "project/component_type.h"
#include "project/job.h"
#include "project/project_files.h"
#include "project/settings.h"
#include "project/source.h"
#include "project/topic.h"
#include "project/view.h"

namespace headrace::project {

struct Project {
  std::string directory;
  Settings settings;
  config::Node settings_node;
  std::vector<TopicDefinition> topics;  // declared ones, then those that are only named
  std::vector<SourceDefinition> sources;
  std::vector<JobDefinition> jobs;
  std::vector<ViewDefinition> views;
  std::vector<ProjectFile> files;  // that it was read from, with fingerprints

  const TopicDefinition* find_topic(const std::string& name) const;
  const JobDefinition* find_job(const std::string& name) const;
  // Of streams/, warehouse/ and metadata.db; absolute if the settings say so.
  std::string storage_path() const;
  std::string warehouse_path() const;  // or s3://bucket/prefix
};

// Throws Error not_found when the folder has no headrace.yaml, and what the file system throws.
Project load_project(FileSystem& files, const std::string& directory, const ComponentTypes& types,
                     config::Problems& problems,
                     const config::Environment& environment = config::process_environment());

}  // namespace headrace::project
