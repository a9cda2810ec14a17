#pragma once

// `headrace init`: a first project that works and explains itself.

#include <string>
#include <vector>

#include "base/file_system.h"

namespace headrace::project {

// A file of the new project, by its path in the folder.
struct NewFile {
  std::string path;
  std::string content;
};

std::vector<NewFile> new_project_files(const std::string& name);

// Writes them into `directory`, which is made when it is not there, and gives their paths. Nothing
// is overwritten: Error already_exists names the file that is in the way, and then nothing has
// been written. Error invalid when `name` cannot be a project's name.
std::vector<std::string> write_new_project(FileSystem& files, const std::string& directory,
                                           const std::string& name);

}  // namespace headrace::project
