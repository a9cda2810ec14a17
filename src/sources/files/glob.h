#pragma once

// Finds the files that a pattern matches: `*`, `?` and `[a-z]` within a name, `**` for any number
// of folders. As in a shell, a name that starts with a dot is matched only by a pattern that does.

#include <string>
#include <vector>

#include "base/file_system.h"

namespace headrace::sources {

struct FoundFile {
  std::string path;  // as the pattern spells it: relative to the base directory when the pattern is
  FileInfo info;
};

// In the byte order of the paths. Folders that are not there hold no files. Follows symbolic links,
// at most 32 folders deep.
std::vector<FoundFile> find_files(FileSystem& files, const std::string& base_directory,
                                  const std::string& pattern);

// Where a found path is on disk.
std::string full_path(const std::string& base_directory, const std::string& path);

}  // namespace headrace::sources
