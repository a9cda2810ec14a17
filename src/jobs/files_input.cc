#include <filesystem>

#include "base/error.h"
#include "jobs/input.h"

namespace headrace::jobs {
namespace {

// The files read so far stand in every snapshot's summary: what is too many for that belongs into a
// topic.
constexpr size_t kMaxFiles = 10'000;

class FilesInput final : public JobInput {
 public:
  FilesInput(std::string job, CompiledInput input, std::string project_directory, FileSystem& files,
             engine::Connection& connection, Clock& clock)
      : job_(std::move(job)),
        input_(std::move(input)),
        project_directory_(std::move(project_directory)),
        files_(files),
        connection_(connection),
        clock_(clock) {}

  tables::Positions start() override {
    tables::Positions positions;
    positions.set_input(key(), JsonObject());
    return positions;
  }

  void check(const tables::Positions&) override {}

  std::optional<Work> next(const tables::Positions& at, const tables::Positions*, bool may_wait,
                           std::stop_token stop) override {
    JsonObject read = read_files(at);
    std::vector<std::string> fresh;
    Work work;
    for (const std::string& path :
         matching_files(connection_, project_directory_, input_.need.path)) {
      const FileInfo info = files_.info(path);
      const std::string seen = format("{}:{}", info.size_bytes, info.modified_micros);
      const Json* before = read.if_contains(path);
      if (before != nullptr && before->as_string() == seen) continue;
      if (before != nullptr) {
        fail(ErrorKind::kInvalid,
             "job {} has read {}, and it has changed since: a job reads each file once; for files "
             "that grow use a "
             "files source into a topic",
             job_, path);
      }
      read[path] = seen;
      fresh.push_back(path);
      work.bytes += static_cast<int64_t>(info.size_bytes);
    }
    if (read.size() > kMaxFiles) {
      fail(ErrorKind::kUnsupported,
           "job {} reads {} files, more than {}: use a files source into a topic", job_,
           read.size(), kMaxFiles);
    }
    if (fresh.empty()) {
      if (may_wait) clock_.sleep_for(kPoll, stop);
      return std::nullopt;
    }
    connection_.execute(format("CREATE OR REPLACE VIEW {} AS SELECT * FROM {}",
                               driving_view_name(job_, input_.node),
                               read_files_sql(input_.need, fresh)));
    work.batch = std::make_shared<InputBatch>();
    work.records =
        connection_.query_integer("SELECT count(*) FROM " + driving_view_name(job_, input_.node));
    work.after = at;
    work.after.set_input(key(), std::move(read));
    return work;
  }

  void committed(const tables::Positions&) override {}
  int64_t lag(const tables::Positions&) const override { return 0; }

 private:
  static constexpr milliseconds kPoll{1000};

  std::string key() const { return "files:" + input_.node; }

  JsonObject read_files(const tables::Positions& at) const {
    const Json* found = at.input(key());
    return found == nullptr || found->is_null() ? JsonObject() : found->as_object();
  }

  const std::string job_;
  const CompiledInput input_;
  const std::string project_directory_;
  FileSystem& files_;
  engine::Connection& connection_;
  Clock& clock_;
};

}  // namespace

std::string read_files_sql(const SourceNeed& need, const std::vector<std::string>& paths) {
  std::vector<std::string> quoted;
  for (const std::string& path : paths) quoted.push_back(engine::quote_literal(path));
  return format("{}([{}]{})", need.reader, join(quoted, ", "), need.reader_options);
}

std::vector<std::string> matching_files(engine::Connection& connection,
                                        const std::string& project_directory,
                                        const std::string& pattern) {
  const std::string whole = pattern.starts_with('/')
                                ? pattern
                                : (std::filesystem::path(project_directory) / pattern).string();
  std::vector<std::string> paths;
  for (const auto& row : connection.query_rows(
           format("SELECT file FROM glob({}) ORDER BY 1", engine::quote_literal(whole)))) {
    paths.push_back(row[0].value_or(""));
  }
  return paths;
}

std::unique_ptr<JobInput> make_files_input(const std::string& job, const CompiledInput& input,
                                           const std::string& project_directory, FileSystem& files,
                                           engine::Connection& connection, Clock& clock) {
  return std::make_unique<FilesInput>(job, input, project_directory, files, connection, clock);
}

}  // namespace headrace::jobs
