#include "project/new_project.h"

#include <set>

#include "base/error.h"
#include "project/names.h"

namespace headrace::project {

namespace {

void refuse_to_overwrite(FileSystem& files, const std::string& directory,
                         const std::vector<NewFile>& wanted) {
  for (const NewFile& file : wanted) {
    const std::string path = directory + "/" + file.path;
    if (!files.exists(path)) continue;
    fail(ErrorKind::kAlreadyExists,
         "making a project in {}: {} is there already; choose an empty folder", directory, path);
  }
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// Takes back what was written unless keep() is called.
class Undo {
 public:
  explicit Undo(FileSystem& files) : files_(files) {}
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo() {
    for (const std::string& path : written_) {
      try {
        files_.remove(path);
      } catch (const Error&) {
        // The error that led here is the one to tell.
      }
    }
  }
  void add(std::string path) { written_.push_back(std::move(path)); }
  void keep() { written_.clear(); }

 private:
  FileSystem& files_;
  std::vector<std::string> written_;
};

}  // namespace

std::vector<std::string> write_new_project(FileSystem& files, const std::string& directory,
                                           const std::string& name) {
  if (const std::string complaint = check_name(name); !complaint.empty()) {
    fail(ErrorKind::kInvalid, "making a project in {}: {}", directory, complaint);
  }
  const std::vector<NewFile> wanted = new_project_files(name);
  refuse_to_overwrite(files, directory, wanted);
  std::vector<std::string> paths;
  std::set<std::string> folders;
  Undo undo(files);
  for (const NewFile& file : wanted) {
    const std::string path = directory + "/" + file.path;
    if (folders.insert(folder_of(path)).second) files.create_directories(folder_of(path));
    files.write_new(path, file.content);
    undo.add(path);
    paths.push_back(file.path);
  }
  undo.keep();
  return paths;
}

}  // namespace headrace::project
