#include "cli/sql/query_runner.h"

#include "base/error.h"
#include "cli/sql/query_response_reader.h"

namespace headrace::cli {
namespace {

http::Request request_of(const Query& query, std::string_view format, const std::string& query_id) {
  JsonObject body{{"sql", query.sql}, {"format", format}};
  if (!query.parameters.empty()) body["parameters"] = query.parameters;
  if (query.max_rows > 0) body["max_rows"] = query.max_rows;
  if (query.timeout_ms > 0) body["timeout_ms"] = query.timeout_ms;
  http::Request request =
      http::make_request("POST", "/v1/query", to_text(body), "application/json");
  // A name of our own, so that the query can be cancelled before its first row is here.
  request.headers.set("Headrace-Query-Id", query_id);
  return request;
}

ResultEnd end_of(const QueryResponseReader& reader, int64_t rows_seen) {
  const Json members = reader.members();
  ResultEnd end;
  end.row_count = integer_member_or(members, "row_count", rows_seen);
  const Json* truncated = find_member(members, "truncated");
  end.truncated = truncated != nullptr && truncated->is_bool() && truncated->get_bool();
  const Json* elapsed = find_member(members, "elapsed_ms");
  if (elapsed != nullptr && elapsed->is_number()) end.elapsed_ms = elapsed->to_number<double>();
  end.files_total = integer_member_or(members, "files_total", 0);
  end.files_read = integer_member_or(members, "files_read", 0);
  return end;
}

// An error that came after the answer had begun.
void throw_if_failed(const QueryResponseReader& reader) {
  if (!reader.has_error()) return;
  const Json error = reader.members().at("error");
  http::Response response;
  response.status = static_cast<int>(integer_member_or(error, "code", 500));
  response.body = to_text(JsonObject{{"error", error}});
  http::throw_if_error(response);
}

}  // namespace

ResultEnd QueryRunner::run(const Query& query, ResultPrinter& printer, std::stop_token stop) {
  int64_t rows = 0;
  QueryResponseReader reader({[&](const std::vector<Column>& columns) { printer.begin(columns); },
                              [&](const std::vector<Cell>& cells) {
                                ++rows;
                                printer.row(cells);
                              }});
  watch(query, "json", [&](std::string_view bytes) { reader.feed(bytes); }, std::move(stop));
  reader.finish();
  throw_if_failed(reader);
  const ResultEnd end = end_of(reader, rows);
  printer.end(end);
  return end;
}

std::vector<std::vector<std::string>> QueryRunner::fetch(const Query& query) {
  std::vector<std::vector<std::string>> rows;
  QueryResponseReader reader({[](const std::vector<Column>&) {},
                              [&](const std::vector<Cell>& cells) {
                                std::vector<std::string> row;
                                for (const Cell cell : cells) row.push_back(text_of(cell));
                                rows.push_back(std::move(row));
                              }});
  stream(query, "json", make_uuid(random_), [&](std::string_view bytes) { reader.feed(bytes); },
         {});
  reader.finish();
  throw_if_failed(reader);
  return rows;
}

void QueryRunner::download(const Query& query, std::string_view format,
                           const std::function<void(std::string_view)>& sink,
                           std::stop_token stop) {
  watch(query, format, sink, std::move(stop));
}

void QueryRunner::watch(const Query& query, std::string_view format,
                        const std::function<void(std::string_view)>& sink, std::stop_token stop) {
  const std::string query_id = make_uuid(random_);
  // Without a server the query runs in this process, and there is nobody to ask.
  QueryProgress progress(
      session_, service_.is_running() ? ask_server(session_, query_id)
                                      : [] { return std::optional<double>(); });
  stream(
      query, format, query_id,
      [&](std::string_view bytes) {
        progress.stop();
        sink(bytes);
      },
      std::move(stop));
}

void QueryRunner::stream(const Query& query, std::string_view format, const std::string& query_id,
                         const std::function<void(std::string_view)>& sink, std::stop_token stop) {
  // What a printer throws must not pass through the client's library.
  std::exception_ptr failure;
  try {
    service_.stream(
        request_of(query, format, query_id),
        [&](std::string_view bytes) {
          if (stop.stop_requested()) return false;
          try {
            sink(bytes);
          } catch (...) {
            failure = std::current_exception();
          }
          return failure == nullptr;
        },
        stop);
  } catch (const Error& error) {
    if (failure == nullptr && error.kind() != ErrorKind::kCancelled) throw;
    cancel(query_id);
    if (failure == nullptr) fail(ErrorKind::kCancelled, "query cancelled");
  }
  if (failure != nullptr) std::rethrow_exception(failure);
}

void QueryRunner::cancel(const std::string& query_id) {
  try {
    service_.send(http::make_request("DELETE", "/v1/queries/" + query_id));
  } catch (const Error&) {
    // The server also ends queries whose client is gone; this only makes it sooner.
    return;
  }
}

}  // namespace headrace::cli
