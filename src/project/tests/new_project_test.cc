#include "project/new_project.h"

#include <algorithm>

#include "base/testing/faulty_file_system.h"
#include "project/tests/project_folder.h"

namespace headrace::project {
namespace {

class NewProjectTest : public ProjectFolder {
 protected:
  NewProjectTest() { files_->remove_all(directory_); }

  size_t count_files() {
    if (!files_->exists(directory_)) return 0;
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_)) {
      if (entry.is_regular_file()) ++count;
    }
    return count;
  }
};

TEST_F(NewProjectTest, TheSettingsAndTopicsAreRight) {
  write_new_project(*files_, directory_, "my-shop");
  for (const NewFile& file : new_project_files("my-shop")) {
    EXPECT_EQ(files_->read(directory_ + "/" + file.path), file.content);
  }
  config::Problems problems;
  const Project project = load(problems);
  EXPECT_EQ(project.settings.name, "my-shop");
  EXPECT_EQ(project.settings.commit.interval, std::chrono::minutes(1));
  ASSERT_EQ(project.topics.size(), 1U);
  EXPECT_EQ(project.topics[0].name, "events");
  ASSERT_EQ(project.views.size(), 1U);
  EXPECT_EQ(project.views[0].table, "gold.events_per_minute");
  for (const config::Problem& problem : problems.all()) {
    const bool of_components = problem.file.starts_with("jobs/") ||
                               problem.file.starts_with("sources/");  // stand-ins know less
    EXPECT_TRUE(of_components) << problem.to_text();
  }
}

TEST_F(NewProjectTest, TheSampleHasTwentyRecordsAndThreeWrongOnes) {
  const auto files = new_project_files("x");
  const auto data = std::find_if(files.begin(), files.end(), [](const NewFile& file) {
    return file.path == "data/events.ndjson";
  });
  ASSERT_NE(data, files.end());
  int lines = 0;
  int wrong = 0;
  size_t start = 0;
  for (size_t end = 0; (end = data->content.find('\n', start)) != std::string::npos;
       start = end + 1) {
    ++lines;
    try {
      const Json record = parse_json(data->content.substr(start, end - start), "the sample");
      const Json& amount = member(record, "amount");
      if (!amount.is_number() || amount.to_number<double>() < 0) ++wrong;
    } catch (const Error&) {
      ++wrong;
    }
  }
  EXPECT_EQ(lines, 20);
  EXPECT_EQ(wrong, 3);
}

TEST_F(NewProjectTest, NothingIsOverwritten) {
  write("jobs/events.yaml", "mine");
  try {
    write_new_project(*files_, directory_, "shop");
    FAIL() << "overwritten";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kAlreadyExists);
    EXPECT_NE(error.message().find("jobs/events.yaml"), std::string::npos);
  }
  EXPECT_EQ(count_files(), 1U);
  EXPECT_EQ(files_->read(directory_ + "/jobs/events.yaml"), "mine");
}

TEST_F(NewProjectTest, AFailureLeavesNothingBehind) {
  int failures = 0;
  for (int n = 1;; ++n) {
    FaultyFileSystem faulty(*files_, n);
    try {
      write_new_project(faulty, directory_, "shop");
      break;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUnavailable);
      EXPECT_EQ(count_files(), 0U) << "after failing operation " << n;
      ++failures;
    }
  }
  EXPECT_GT(failures, 0);
  EXPECT_EQ(count_files(), new_project_files("shop").size());
}

TEST_F(NewProjectTest, ABadNameIsRefused) {
  EXPECT_THROW(write_new_project(*files_, directory_, "my shop"), Error);
  EXPECT_EQ(count_files(), 0U);
}

}  // namespace
}  // namespace headrace::project
