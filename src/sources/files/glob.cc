#include "sources/files/glob.h"

#include <algorithm>

#include <fnmatch.h>

#include "base/error.h"

namespace headrace::sources {
namespace {

constexpr int kMaxDepth = 32;

bool is_pattern(const std::string& segment) {
  return segment.find_first_of("*?[") != std::string::npos;
}

std::vector<std::string> split_path(const std::string& pattern) {
  std::vector<std::string> segments;
  size_t start = 0;
  while (start <= pattern.size()) {
    const size_t slash = std::min(pattern.find('/', start), pattern.size());
    if (slash > start) segments.push_back(pattern.substr(start, slash - start));
    start = slash + 1;
  }
  return segments;
}

std::string joined(const std::string& directory, const std::string& name) {
  if (directory.empty() || directory.back() == '/') return directory + name;
  return directory + "/" + name;
}

class Search {
 public:
  Search(FileSystem& files, const std::string& base_directory, std::vector<std::string> segments)
      : files_(files), base_directory_(base_directory), segments_(std::move(segments)) {}

  std::vector<FoundFile> run(const std::string& root) {
    walk(root, 0, 0);
    std::sort(found_.begin(), found_.end(),
              [](const FoundFile& a, const FoundFile& b) { return a.path < b.path; });
    // Two `**` in one pattern can reach a file on two ways.
    found_.erase(
        std::unique(found_.begin(), found_.end(),
                    [](const FoundFile& a, const FoundFile& b) { return a.path == b.path; }),
        found_.end());
    return std::move(found_);
  }

 private:
  void walk(const std::string& directory, size_t index, int depth) {
    if (index == segments_.size() || depth > kMaxDepth) return;
    const std::string& segment = segments_[index];
    const bool last = index + 1 == segments_.size();
    if (segment == "**") {
      walk(directory, index + 1, depth);  // no folder at all
    } else if (!is_pattern(segment) && !last) {
      walk(joined(directory, segment), index + 1, depth + 1);
      return;
    }
    for (FileInfo& entry : entries(directory)) {
      const std::string path = joined(directory, entry.name);
      if (segment == "**") {
        if (entry.name.front() == '.') continue;
        if (entry.is_directory) {
          walk(path, index, depth + 1);
        } else if (last) {
          found_.push_back({path, std::move(entry)});
        }
      } else if (::fnmatch(segment.c_str(), entry.name.c_str(), FNM_PERIOD) == 0) {
        if (entry.is_directory) {
          walk(path, index + 1, depth + 1);
        } else if (last) {
          found_.push_back({path, std::move(entry)});
        }
      }
    }
  }

  std::vector<FileInfo> entries(const std::string& directory) {
    try {
      return files_.list(full_path(base_directory_, directory));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kNotFound) return {};
      throw;
    }
  }

  FileSystem& files_;
  const std::string& base_directory_;
  const std::vector<std::string> segments_;
  std::vector<FoundFile> found_;
};

}  // namespace

std::vector<FoundFile> find_files(FileSystem& files, const std::string& base_directory,
                                  const std::string& pattern) {
  const bool absolute = !pattern.empty() && pattern.front() == '/';
  return Search(files, base_directory, split_path(pattern)).run(absolute ? "/" : "");
}

std::string full_path(const std::string& base_directory, const std::string& path) {
  if (!path.empty() && path.front() == '/') return path;
  if (base_directory.empty()) return path.empty() ? "." : path;
  return path.empty() ? base_directory : joined(base_directory, path);
}

}  // namespace headrace::sources
