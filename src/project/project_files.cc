#include "project/project_files.h"

#include <algorithm>
#include <array>

namespace headrace::project {

namespace {

struct Folder {
  std::string_view name;
  std::array<std::string_view, 2> endings;
};
constexpr std::array<Folder, 4> kFolders{{{"jobs", {".yaml", ".yml"}},
                                          {"sources", {".yaml", ".yml"}},
                                          {"topics", {".yaml", ".yml"}},
                                          {"views", {".sql", ".sql"}}}};

bool belongs(const FileInfo& info, const Folder& folder) {
  if (info.is_directory || info.name.starts_with('.')) return false;
  return info.name.ends_with(folder.endings[0]) || info.name.ends_with(folder.endings[1]);
}

ProjectFile to_project_file(std::string path, const FileInfo& info) {
  return {std::move(path), info.size_bytes, info.modified_micros, info.inode, 0};
}

bool looks_the_same(const ProjectFile& a, const ProjectFile& b) {
  return a.size_bytes == b.size_bytes && a.modified_micros == b.modified_micros &&
         a.inode == b.inode;
}

bool by_path(const ProjectFile& a, const ProjectFile& b) { return a.path < b.path; }

}  // namespace

uint64_t fingerprint(std::string_view content) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : content) {
    hash ^= static_cast<uint8_t>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

std::string ProjectFile::stem() const {
  const size_t slash = path.rfind('/');
  const size_t start = slash == std::string::npos ? 0 : slash + 1;
  return path.substr(start, path.rfind('.') - start);
}

std::vector<ProjectFile> list_project_files(FileSystem& files, const std::string& directory) {
  std::vector<ProjectFile> list;
  const std::string settings = directory + "/headrace.yaml";
  if (files.exists(settings)) {
    list.push_back(to_project_file("headrace.yaml", files.info(settings)));
  }
  for (const Folder& folder : kFolders) {
    const std::string path = directory + "/" + std::string(folder.name);
    if (!files.exists(path)) continue;
    for (const FileInfo& info : files.list(path)) {
      if (!belongs(info, folder)) continue;
      list.push_back(to_project_file(std::string(folder.name) + "/" + info.name, info));
    }
  }
  std::sort(list.begin(), list.end(), by_path);
  return list;
}

ProjectFiles::ProjectFiles(FileSystem& files, std::string directory)
    : files_(files), directory_(std::move(directory)) {
  known_ = scan();
}

bool ProjectFiles::changed() {
  std::vector<ProjectFile> found = scan();
  const bool same = std::equal(known_.begin(), known_.end(), found.begin(), found.end(),
                               [](const ProjectFile& a, const ProjectFile& b) {
                                 return a.path == b.path && a.fingerprint == b.fingerprint;
                               });
  known_ = std::move(found);
  return !same;
}

std::vector<ProjectFile> ProjectFiles::scan() const {
  std::vector<ProjectFile> found = list_project_files(files_, directory_);
  for (ProjectFile& file : found) {
    const auto before = std::lower_bound(known_.begin(), known_.end(), file, by_path);
    const bool known = before != known_.end() && before->path == file.path;
    file.fingerprint = known && looks_the_same(*before, file)
                           ? before->fingerprint
                           : fingerprint(files_.read(directory_ + "/" + file.path));
  }
  return found;
}

}  // namespace headrace::project
