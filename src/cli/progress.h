#pragma once

// One line on standard error that is written over while work goes on, and nothing at all when that
// is not a terminal, or under --quiet and --json.
//
// Thread use: any one thread at a time.

#include <chrono>
#include <string>

#include "base/clock.h"
#include "cli/session.h"

namespace headrace::cli {

class Progress {
 public:
  Progress(Session& session, const Clock& clock);
  ~Progress();  // clears the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows the text, at most ten times a second.
  void update(const std::string& text);
  // Takes the line away, so that something else can be printed.
  void clear();
  double elapsed_seconds() const;

 private:
  Session& session_;
  const Clock& clock_;
  bool is_shown_;
  bool has_line_ = false;
  SteadyTime start_;
  SteadyTime next_;
};

}  // namespace headrace::cli
