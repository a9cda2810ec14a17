#pragma once

// The static sides of a job's joins: tables and files that are read whole into a table of the
// engine, and again when they change. Belongs to one Session and is used by its thread.

#include <map>
#include <string>
#include <vector>

#include "jobs/compiler.h"
#include "jobs/runtime.h"

namespace headrace::jobs {

class StaticInputs {
 public:
  StaticInputs(std::string job, const Runtime& runtime, engine::Connection& connection);

  // Reads an input, unless it is read as it stands. What is wrong with it goes up: without it a job
  // cannot begin.
  void load(const CompiledInput& input);

  // Looks, at most once a second, which inputs have changed, and reads those again. An input that
  // cannot be read any more leaves its rows as they were: what is wrong is returned, else "". When
  // columns have changed it throws `unavailable`, and the job begins again with what they are now.
  std::string refresh(const std::vector<CompiledInput>& inputs);

  // Never empty: not_found.
  std::vector<std::string> paths(const CompiledInput& input) const;

 private:
  struct Seen {
    std::string loaded;  // the version that is in the engine's table
    std::string latest;  // that of the last look
    std::string complaint;
  };

  std::string version(const CompiledInput& input) const;
  std::string relation(const CompiledInput& input) const;
  void read(const CompiledInput& input, const std::string& version);
  void refresh(const CompiledInput& input);
  void check_columns(const CompiledInput& input) const;

  const std::string job_;
  const Runtime& runtime_;
  engine::Connection& connection_;
  std::map<std::string, Seen> seen_;  // by node
  SteadyTime last_look_{};
};

}  // namespace headrace::jobs
