#include "cli/testing/fake_host.h"

#include "base/error.h"

namespace headrace::cli::testing {
namespace {

class FakeClient final : public http::Client {
 public:
  explicit FakeClient(FakeServer& server) : server_(server) {}

  http::Response stream(http::Request request, const OnData& on_data,
                        std::stop_token cancel) override {
    request.cancelled = cancel;
    http::Response answer = server_.answer(request);
    if (answer.status >= 400) return answer;
    std::string body;
    body.swap(answer.body);
    // In small pieces, so that every state of a reader is met between two of them.
    constexpr size_t kPiece = 7;
    for (size_t at = 0; at < body.size(); at += kPiece) {
      if (cancel.stop_requested() || !on_data(std::string_view(body).substr(at, kPiece))) {
        fail(ErrorKind::kCancelled, "request cancelled");
      }
    }
    return answer;
  }

 private:
  FakeServer& server_;
};

}  // namespace

void FakeServer::on(const std::string& method_and_target, Answer answer) {
  answers_[method_and_target].push_back(std::move(answer));
}

void FakeServer::on(const std::string& method_and_target, const std::string& json, int status) {
  on(method_and_target, [json, status](const http::Request&) {
    http::Response response;
    response.status = status;
    response.headers.set("Content-Type", "application/json");
    response.body = json;
    return response;
  });
}

http::Response FakeServer::answer(const http::Request& request) {
  requests.push_back({request.method, request.target, request.body, request.headers});
  const auto found = answers_.find(request.method + " " + request.target);
  if (found == answers_.end()) {
    return http::error_response(Error(ErrorKind::kNotFound, "no " + request.target + " here"));
  }
  const Answer answer = found->second.front();
  if (found->second.size() > 1) found->second.pop_front();
  return answer(request);
}

Connection FakeHost::connect(const ConnectOptions& options) {
  connected = options;
  if (!running_error.empty()) fail(ErrorKind::kUnavailable, "{}", running_error);
  return {std::make_unique<FakeClient>(server), running,
          running ? "http://127.0.0.1:8642" : ".headrace"};
}

int FakeHost::serve(const ServeOptions& options) {
  served = options;
  return 0;
}

Json FakeHost::run_job(const RunOptions& options) {
  ran = options;
  options.progress({500, 1000, 1});
  return JsonObject{{"job", options.job},
                    {"records", 1000},
                    {"dead_letters", 1},
                    {"elapsed_ms", 1500},
                    {"tables", JsonArray{JsonObject{{"name", "silver.clicks"}, {"rows", 999}}}}};
}

CheckReport FakeHost::check(const std::string& /*project_dir*/) { return report; }

std::vector<std::string> FakeHost::init(const InitOptions& options) {
  initialised = options;
  return {"headrace.yaml", "topics/clicks.yaml"};
}

std::vector<std::pair<std::string, std::string>> FakeHost::reference_pages() {
  return {{"nodes.md", "# Nodes\n"}};
}

}  // namespace headrace::cli::testing
