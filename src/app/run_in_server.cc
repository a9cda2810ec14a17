#include "app/run_in_server.h"

#include "base/clock.h"
#include "base/error.h"
#include "http/target.h"

namespace headrace::app {
namespace {

constexpr milliseconds kBetweenLooks{100};

Json ask(http::Client& server, std::string_view method, const std::string& target) {
  return http::json_of(server.send(http::make_request(method, target)));
}

bool is_over(const std::string& state) {
  return state == "finished" || state == "failed" || state == "paused" || state == "stopped";
}

// Rows of each table that the job writes.
JsonArray written_tables(http::Client& server, const Json& job) {
  JsonArray tables;
  for (const Json& node : member(job, "nodes").as_array()) {
    const std::string name = string_member(node, "writes");
    const size_t dot = name.find('.');
    if (dot == std::string::npos) continue;
    const Json table = ask(server, "GET",
                           "/v1/tables/" + http::percent_encode(name.substr(0, dot)) + "/" +
                               http::percent_encode(name.substr(dot + 1)));
    tables.push_back(JsonObject{{"name", name}, {"rows", integer_member(table, "rows")}});
  }
  return tables;
}

}  // namespace

Json run_in_server(http::Client& server, const cli::RunOptions& options) {
  SystemClock clock;
  const SteadyTime began = clock.steady_now();
  const std::string target = "/v1/jobs/" + http::percent_encode(options.job);
  ask(server, "POST", target + "/run");
  bool is_paused = false;
  for (;;) {
    const Json job = ask(server, "GET", target);
    const cli::RunProgress progress{integer_member(job, "records"),
                                    integer_member(job, "records") + integer_member(job, "lag"),
                                    integer_member(job, "dead_letters")};
    if (options.progress) options.progress(progress);
    const std::string state = string_member(job, "state");
    if (state == "failed") {
      fail(ErrorKind::kInvalid, "{}", string_member_or(job, "last_error", "the job failed"));
    }
    if (is_over(state)) {
      const auto elapsed = std::chrono::duration_cast<milliseconds>(clock.steady_now() - began);
      return JsonObject{{"job", options.job},
                        {"records", progress.records},
                        {"dead_letters", progress.dead_letters},
                        {"elapsed_ms", elapsed.count()},
                        {"tables", written_tables(server, job)}};
    }
    if (!clock.sleep_for(kBetweenLooks, options.stop) && !is_paused) {
      ask(server, "POST", target + "/pause");
      is_paused = true;
    }
  }
}

}  // namespace headrace::app
