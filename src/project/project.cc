#include "project/project.h"

#include "objects/uri.h"
#include "project/cross_checks.h"

namespace headrace::project {

namespace {

class Loader {
 public:
  Loader(FileSystem& files, const ComponentTypes& types, config::Problems& problems,
         const config::Environment& environment, Project& project)
      : files_(files),
        types_(types),
        problems_(problems),
        environment_(environment),
        project_(project) {}

  void load(ProjectFile& file) {
    const std::string text = files_.read(project_.directory + "/" + file.path);
    file.fingerprint = fingerprint(text);
    const std::string folder = file.path.substr(0, file.path.find('/'));
    if (folder == "views") {
      project_.views.push_back(
          read_view(text, file.path, file.stem(), types_, problems_, environment_));
      return;
    }
    const config::Node root = config::parse_yaml(text, file.path, problems_, environment_).root();
    if (folder == "headrace.yaml") {
      project_.settings_node = root;
      Settings::fields().read_into(root, project_.settings, problems_);
    } else if (folder == "topics") {
      project_.topics.push_back(read_topic(root, file.stem()));
    } else if (folder == "sources") {
      project_.sources.push_back(read_source(root, file.stem(), types_, problems_));
    } else if (folder == "jobs") {
      project_.jobs.push_back(read_job(root, file.stem(), types_, problems_));
    }
  }

 private:
  TopicDefinition read_topic(const config::Node& root, const std::string& file_stem) {
    TopicDefinition topic;
    topic.name = file_stem;
    topic.node = root;
    TopicDefinition::fields().read_into(root, topic, problems_);
    return topic;
  }

  FileSystem& files_;
  const ComponentTypes& types_;
  config::Problems& problems_;
  const config::Environment& environment_;
  Project& project_;
};

std::string below(const std::string& directory, const std::string& path) {
  return path.starts_with('/') ? path : directory + "/" + path;
}

}  // namespace

const TopicDefinition* Project::find_topic(const std::string& name) const {
  for (const TopicDefinition& topic : topics) {
    if (topic.name == name) return &topic;
  }
  return nullptr;
}

const JobDefinition* Project::find_job(const std::string& name) const {
  for (const JobDefinition& job : jobs) {
    if (job.name == name) return &job;
  }
  return nullptr;
}

std::string Project::storage_path() const { return below(directory, settings.storage.path); }

std::string Project::warehouse_path() const {
  const std::string& path = settings.storage.warehouse;
  if (path.empty()) return storage_path() + "/warehouse";
  if (path.find("://") != std::string::npos || path.starts_with("file:")) {
    return objects::is_s3(path) ? path : objects::local_path(path);
  }
  return below(directory, path);
}

Project load_project(FileSystem& files, const std::string& directory, const ComponentTypes& types,
                     config::Problems& problems, const config::Environment& environment) {
  if (!files.exists(directory + "/headrace.yaml")) {
    fail(ErrorKind::kNotFound,
         "loading the project {}: there is no headrace.yaml in it; make a project with `headrace "
         "init {}`, or name its folder",
         directory, directory);
  }
  Project project;
  project.directory = directory;
  project.files = list_project_files(files, directory);
  Loader loader(files, types, problems, environment, project);
  for (ProjectFile& file : project.files) loader.load(file);
  check_across_files(project, problems);
  if (types.check_sql && !problems.has_errors()) types.check_sql(project, problems);
  problems.sort();
  return project;
}

}  // namespace headrace::project
