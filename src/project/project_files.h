#pragma once

// The files that make a project, and whether they changed.
// Thread use: one thread at a time.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"

namespace headrace::project {

// A hash of content, to see that it changed (FNV-1a, 64 bits): not against an adversary.
uint64_t fingerprint(std::string_view content);

struct ProjectFile {
  std::string path;  // relative to the project, with slashes
  uint64_t size_bytes = 0;
  int64_t modified_micros = 0;
  uint64_t inode = 0;
  uint64_t fingerprint = 0;

  std::string stem() const;  // orders of jobs/orders.yaml
  bool operator==(const ProjectFile&) const = default;
};

// headrace.yaml, topics/*.yaml, sources/*.yaml, jobs/*.yaml (or .yml) and views/*.sql, by path.
// Names that begin with a dot or end with ~ are editors' own and left out. Fingerprints are not
// filled.
std::vector<ProjectFile> list_project_files(FileSystem& files, const std::string& directory);

// Remembers the files as they were. Construct or call changed() before loading the project: what
// changes during loading is then seen by the next call.
class ProjectFiles {
 public:
  ProjectFiles(FileSystem& files, std::string directory);

  // True when a file came, went, or has another content than at the last call. Content is read
  // only where size, time or inode differ. Throws what the file system throws.
  bool changed();
  const std::vector<ProjectFile>& files() const { return known_; }

 private:
  std::vector<ProjectFile> scan() const;

  FileSystem& files_;
  std::string directory_;
  std::vector<ProjectFile> known_;
};

}  // namespace headrace::project
