#pragma once

// What one run of the command line works with: the host, the console and the options that every
// command takes. Commands register themselves on the CLI11 app and leave their action here; it runs
// after the whole line has been understood.

#include <functional>
#include <string>

#include "base/json.h"
#include "cli/console.h"
#include "cli/host.h"
#include "cli/print/result_printer.h"
#include "cli/service.h"

namespace headrace::cli {

struct GlobalOptions {
  std::string project;  // --project; empty: looked for from the working directory upwards
  std::string server;
  std::string token;
  bool json = false;
  bool quiet = false;
};

class Session {
 public:
  Session(Host& host, Console& console) : host_(host), console_(console) {}

  Host& host() { return host_; }
  Console& console() { return console_; }
  GlobalOptions& globals() { return globals_; }

  // The project's folder; not_found when there is none here or above.
  std::string project_dir() const;
  Service connect();

  // One JSON document when --json was given, else calls `print`.
  void show(const Json& document, const std::function<void()>& print);
  // A note for people on stderr; silent under --quiet and --json.
  void note(std::string_view text);
  Layout layout() const;

  // Set by the command that was named.
  std::function<int()> action;

 private:
  Host& host_;
  Console& console_;
  GlobalOptions globals_;
};

// The nearest folder from `start` upwards that holds headrace.yaml; empty when there is none.
std::string find_project(const std::string& start);

}  // namespace headrace::cli
