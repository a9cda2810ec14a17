#pragma once

// A project folder on disk for a test, and component types that stand in for the real ones.

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "config/fields.h"
#include "project/project.h"

namespace headrace::project {

struct FilterOptions {
  std::string input;
  std::string where;
  static config::Fields<FilterOptions> fields() {
    return config::Fields<FilterOptions>()
        .required("where", &FilterOptions::where, "condition", config::example("amount > 0"))
        .required("input", &FilterOptions::input, "a node")
        .read_elsewhere(JobNode::generic_fields());
  }
  NodeFacts facts() const { return {{input}, "", "", ""}; }
};

struct TableOptions {
  std::string input;
  std::string table;
  std::vector<std::string> partition_by;
  static config::Fields<TableOptions> fields() {
    return config::Fields<TableOptions>()
        .required("table", &TableOptions::table, "its name")
        .optional("partition_by", &TableOptions::partition_by, "transforms")
        .optional("input", &TableOptions::input, "a node")
        .read_elsewhere(JobNode::generic_fields());
  }
  NodeFacts facts() const { return {{input}, "", "", input.empty() ? "" : table}; }
};

struct TopicOptions {
  std::string topic;
  static config::Fields<TopicOptions> fields() {
    return config::Fields<TopicOptions>()
        .required("topic", &TopicOptions::topic, "its name")
        .read_elsewhere(JobNode::generic_fields());
  }
  NodeFacts facts() const { return {{}, topic, "", ""}; }
};

struct FilesOptions {
  std::string path;
  static config::Fields<FilesOptions> fields() {
    return config::Fields<FilesOptions>()
        .required("path", &FilesOptions::path, "a glob")
        .read_elsewhere(SourceDefinition::generic_fields());
  }
};

template <class Options>
NodeComponent node_component(const std::string& name) {
  NodeComponent type;
  type.name = name;
  type.summary = "Stands in for " + name + ".";
  type.fields = Options::fields().list();
  type.read = [](const config::Node& node, config::Problems& problems) {
    return Options::fields().read(node, problems).facts();
  };
  return type;
}

inline ComponentTypes component_types() {
  ComponentTypes types;
  types.nodes = {node_component<FilterOptions>("filter"), node_component<TableOptions>("table"),
                 node_component<TopicOptions>("topic")};
  SourceComponent files;
  files.name = "files";
  files.summary = "Stands in for files.";
  files.example = "type: files\ntopic: orders\npath: data/*.ndjson\n";
  files.fields = FilesOptions::fields().list();
  files.check = [](const config::Node& node, config::Problems& problems) {
    FilesOptions::fields().read(node, problems);
  };
  types.sources = {std::move(files)};
  return types;
}

class ProjectFolder : public ::testing::Test {
 protected:
  ProjectFolder()
      : files_(make_posix_file_system()),
        directory_(::testing::TempDir() + "project_" +
                   ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(directory_);
    write("headrace.yaml", "name: shop\n");
  }
  ~ProjectFolder() override { std::filesystem::remove_all(directory_); }

  void write(const std::string& path, const std::string& content) {
    const std::string whole = directory_ + "/" + path;
    files_->create_directories(std::filesystem::path(whole).parent_path().string());
    files_->write_atomically(whole, content);
  }

  Project load(config::Problems& problems) {
    return load_project(*files_, directory_, component_types(), problems, config::no_environment());
  }
  std::string problems() {
    config::Problems found;
    load(found);
    return found.to_text();
  }
  Project load_whole() {
    config::Problems found;
    Project project = load(found);
    EXPECT_EQ(found.error_count(), 0U) << found.to_text();
    return project;
  }

  std::unique_ptr<FileSystem> files_;
  const std::string directory_;
};

}  // namespace headrace::project
