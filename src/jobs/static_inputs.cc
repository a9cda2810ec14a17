#include "jobs/static_inputs.h"

#include <mutex>

#include "base/error.h"
#include "jobs/input.h"
#include "telemetry/log.h"

namespace headrace::jobs {
namespace {

constexpr milliseconds kBetweenLooks{1000};

// The columns of a static input are not those that the job was compiled for.
class ColumnsChanged : public Error {
 public:
  using Error::Error;
};

std::string text_of(const std::vector<engine::Column>& columns) {
  std::vector<std::string> texts;
  for (const engine::Column& column : columns) texts.push_back(column.name + " " + column.type);
  return format("{}", join(texts, ", "));
}

}  // namespace

StaticInputs::StaticInputs(std::string job, const Runtime& runtime, engine::Connection& connection)
    : job_(std::move(job)), runtime_(runtime), connection_(connection) {
  // Of two jobs that begin at once, one would fail on what the other is creating.
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  connection_.execute("CREATE SCHEMA IF NOT EXISTS static");
}

void StaticInputs::load(const CompiledInput& input) {
  const std::string now = version(input);
  if (seen_[input.node].loaded != now) read(input, now);
}

std::string StaticInputs::refresh(const std::vector<CompiledInput>& inputs) {
  const SteadyTime now = runtime_.clock.steady_now();
  if (!inputs.empty() && now - last_look_ >= kBetweenLooks) {
    last_look_ = now;
    for (const CompiledInput& input : inputs) refresh(input);
  }
  for (const CompiledInput& input : inputs) {
    if (!seen_[input.node].complaint.empty()) return seen_[input.node].complaint;
  }
  return "";
}

void StaticInputs::refresh(const CompiledInput& input) {
  Seen& seen = seen_[input.node];
  std::string complaint;
  try {
    const std::string now = version(input);
    // A file that somebody is writing is left until two looks find it the same.
    const bool is_settled = input.need.kind == SourceNeed::Kind::kTable || seen.latest == now;
    seen.latest = now;
    if (seen.loaded != now && is_settled) {
      check_columns(input);
      read(input, now);
    } else if (seen.loaded != now) {
      complaint = seen.complaint;
    }
  } catch (const ColumnsChanged&) {
    throw;
  } catch (const Error& error) {
    complaint = format("nodes.{} cannot be read again, its rows of before stay in use: {}",
                       input.node, error.message());
  }
  if (!complaint.empty() && complaint != seen.complaint) {
    telemetry::log_warning("jobs", "a static input cannot be read again",
                           {{"job", job_}, {"reason", complaint}});
  }
  seen.complaint = complaint;
}

void StaticInputs::check_columns(const CompiledInput& input) const {
  const std::string before =
      text_of(connection_.describe("SELECT * FROM " + static_table_name(job_, input.node)));
  const std::string now = text_of(connection_.describe("SELECT * FROM " + relation(input)));
  if (before == now) return;
  throw ColumnsChanged(
      ErrorKind::kUnavailable,
      format("the columns of nodes.{} have changed from ({}) to ({})", input.node, before, now));
}

void StaticInputs::read(const CompiledInput& input, const std::string& version) {
  connection_.execute(format("CREATE OR REPLACE TABLE {} AS SELECT * FROM {}",
                             static_table_name(job_, input.node), relation(input)));
  Seen& seen = seen_[input.node];
  seen.loaded = seen.latest = version;
  telemetry::log_info("jobs", "static input read", {{"job", job_}, {"node", input.node}});
}

std::string StaticInputs::relation(const CompiledInput& input) const {
  if (input.need.kind == SourceNeed::Kind::kTable) {
    return engine::quote_name(input.need.table.database, input.need.table.name);
  }
  return read_files_sql(input.need, paths(input));
}

std::vector<std::string> StaticInputs::paths(const CompiledInput& input) const {
  auto paths = matching_files(connection_, runtime_.project_directory, input.need.path);
  if (paths.empty()) {
    throw InputMissing(
        format("job {}: nodes.{}: no file matches {}", job_, input.node, input.need.path));
  }
  return paths;
}

// Changes when the input does.
std::string StaticInputs::version(const CompiledInput& input) const {
  if (input.need.kind == SourceNeed::Kind::kTable) {
    const auto state = runtime_.tables.find(input.need.table);
    if (!state) {
      throw InputMissing(format("job {}: nodes.{}: there is no table {}", job_, input.node,
                                input.need.table.to_string()));
    }
    return std::to_string(state->version);
  }
  std::string version;
  for (const std::string& path : paths(input)) {
    const FileInfo info = runtime_.files.info(path);
    version += format("{}:{}:{}:{}\n", path, info.size_bytes, info.modified_micros, info.inode);
  }
  return version;
}

}  // namespace headrace::jobs
