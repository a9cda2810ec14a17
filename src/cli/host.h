#pragma once

// What the composition root gives to the command line: the ways into the rest of the program. The
// commands themselves know only HTTP requests, so they work the same with a running server and
// without one.
//
// Life cycle: made in main(), outlives run_command_line(). Thread use: called by one thread.
// Every method may throw Error; the command line prints it and exits by its kind.

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "http/client.h"

namespace headrace::cli {

struct ConnectOptions {
  std::string project_dir;  // empty: there is none; then server_url is set
  std::string server_url;   // empty: the address in the project's headrace.yaml
  std::string token;        // empty: the token in the project's headrace.yaml
};

struct Connection {
  std::unique_ptr<http::Client> client;
  bool running = true;  // false: no server answers, the client reads the project's state in place
  std::string address;  // for messages: http://127.0.0.1:8642, or the state directory
};

struct InitOptions {
  std::string directory;
  std::string name;  // empty: the directory's name
};

struct ServeOptions {
  std::string project_dir;
  std::string listen;     // empty: as in headrace.yaml
  std::string log_level;  // empty: as in headrace.yaml
  bool json_logs = false;
};

struct RunProgress {
  int64_t records = 0;
  int64_t total_records = -1;  // -1: not known
  int64_t dead_letters = 0;
};

struct RunOptions {
  std::string project_dir;
  std::string server_url;  // empty: the project's own server when it runs, else this process
  std::string token;       // empty: the token in the project's headrace.yaml
  std::string job;
  std::function<void(const RunProgress&)> progress;  // called from any one thread at a time
  std::stop_token stop;                              // end after the batch in hand
};

// What `check` found, every mistake at once.
struct Problem {
  bool is_error = true;  // false: a warning
  std::string path;
  int line = 0;  // from 1; 0: the whole file
  std::string message;
  std::string suggestion;  // empty: none
};
struct CheckReport {
  std::vector<Problem> problems;
  std::vector<std::pair<std::string, int>> counts;  // {"topics", 2}, {"jobs", 1}, …
};

class Host {
 public:
  virtual ~Host() = default;
  // A client to the running server, or an in-process one with read-only access to the project's
  // state when none runs. unavailable: server_url was given and nobody answers there.
  virtual Connection connect(const ConnectOptions& options) = 0;
  // Runs until SIGINT or SIGTERM, which it handles itself; returns the exit code.
  virtual int serve(const ServeOptions& options) = 0;
  // Runs a job over what is new and ends. Returns {"job","records","dead_letters","elapsed_ms",
  // "tables":[{"name","rows"}]}. A running server runs it, as it owns the state; conflict: the job
  // runs there already.
  virtual Json run_job(const RunOptions& options) = 0;
  virtual CheckReport check(const std::string& project_dir) = 0;
  // The paths of the files written, relative to the directory.
  virtual std::vector<std::string> init(const InitOptions& options) = 0;
  // The generated reference: relative path → content. The command line adds its own page.
  virtual std::vector<std::pair<std::string, std::string>> reference_pages() = 0;
  virtual std::string version() = 0;
};

}  // namespace headrace::cli
