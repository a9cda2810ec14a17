#include "cli/sql/query_progress.h"

#include <memory>

#include "base/error.h"
#include "cli/progress.h"

namespace headrace::cli {
namespace {

constexpr milliseconds kBetweenLooks{500};

std::string text_of(double seconds, std::optional<double> part) {
  const std::string done = part.value_or(0) > 0 ? format(", {:.0f} % done", *part * 100) : "";
  return format("running for {:.0f} s{} (Ctrl-C cancels it)", seconds, done);
}

void show(Session& session, const QueryProgress::Ask& ask, milliseconds first_after,
          const std::stop_token& stop) {
  SystemClock clock;
  Progress line(session, clock);
  clock.sleep_for(first_after, stop);
  while (!stop.stop_requested()) {
    line.update(text_of(line.elapsed_seconds(), ask()));
    clock.sleep_for(kBetweenLooks, stop);
  }
}

}  // namespace

QueryProgress::QueryProgress(Session& session, Ask ask, milliseconds first_after) {
  if (!session.console().err_is_terminal() || session.globals().quiet || session.globals().json) {
    return;
  }
  thread_ = std::jthread([&session, first_after, ask = std::move(ask)](std::stop_token stop) {
    show(session, ask, first_after, stop);
  });
}

QueryProgress::~QueryProgress() { stop(); }

void QueryProgress::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

QueryProgress::Ask ask_server(Session& session, const std::string& query_id) {
  // A connection of its own: that of the query is busy with the query.
  auto service = std::make_shared<std::optional<Service>>();
  return [&session, service, query_id]() -> std::optional<double> {
    try {
      if (!*service) service->emplace(session.connect());
      const Json running = (*service)->get("/v1/queries");
      for (const Json& query : items_of(running, "queries")) {
        if (string_member_or(query, "query_id", "") != query_id) continue;
        const Json* progress = find_member(query, "progress");
        if (progress == nullptr || !progress->is_number()) return std::nullopt;
        return progress->to_number<double>();
      }
    } catch (const Error&) {
      // What the query itself meets is told by the query.
    }
    return std::nullopt;
  };
}

}  // namespace headrace::cli
