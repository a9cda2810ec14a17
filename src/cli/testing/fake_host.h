#pragma once

// A host and a server for the tests of commands: answers are scripted, requests are kept.

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/host.h"
#include "http/message.h"

namespace headrace::cli::testing {

struct SentRequest {
  std::string method, target, body;
  http::Headers headers;
};

class FakeServer {
 public:
  using Answer = std::function<http::Response(const http::Request&)>;

  // The answer to METHOD TARGET; given twice, the answers follow one another, the last one stays.
  void on(const std::string& method_and_target, Answer answer);
  void on(const std::string& method_and_target, const std::string& json, int status = 200);

  http::Response answer(const http::Request& request);
  std::vector<SentRequest> requests;

 private:
  std::map<std::string, std::deque<Answer>> answers_;
};

class FakeHost final : public Host {
 public:
  Connection connect(const ConnectOptions& options) override;
  int serve(const ServeOptions& options) override;
  Json run_job(const RunOptions& options) override;
  CheckReport check(const std::string& project_dir) override;
  std::vector<std::string> init(const InitOptions& options) override;
  std::vector<std::pair<std::string, std::string>> reference_pages() override;
  std::string version() override { return "0.1.0"; }

  FakeServer server;
  bool running = true;
  std::string running_error;  // not empty: connect() throws unavailable
  CheckReport report;
  // What the commands asked for.
  ConnectOptions connected;
  ServeOptions served;
  RunOptions ran;
  InitOptions initialised;
};

}  // namespace headrace::cli::testing
