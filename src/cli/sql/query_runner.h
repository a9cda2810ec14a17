#pragma once

// Runs one query over POST /v1/query and prints its rows while they arrive; a stop request cancels
// it on the server, too.
//
// Thread use: one thread. Errors: what the server answers; cancelled after a stop request.

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/random.h"
#include "cli/print/result_printer.h"
#include "cli/service.h"
#include "cli/session.h"
#include "cli/sql/query_progress.h"

namespace headrace::cli {

struct Query {
  std::string sql;
  JsonArray parameters;
  int64_t max_rows = 0;    // 0: as many as the server allows
  int64_t timeout_ms = 0;  // 0: as long as the server allows
};

class QueryRunner {
 public:
  QueryRunner(Session& session, Service& service, Random& random)
      : session_(session), service_(service), random_(random) {}

  // Returns the members that end the answer.
  ResultEnd run(const Query& query, ResultPrinter& printer, std::stop_token stop = {});
  // The whole result, for small ones: rows of texts.
  std::vector<std::vector<std::string>> fetch(const Query& query);
  // The result as a Parquet or Arrow file's bytes.
  void download(const Query& query, std::string_view format,
                const std::function<void(std::string_view)>& sink, std::stop_token stop = {});

 private:
  void stream(const Query& query, std::string_view format, const std::string& query_id,
              const std::function<void(std::string_view)>& sink, std::stop_token stop);
  // As stream(), with a line that tells how long it takes.
  void watch(const Query& query, std::string_view format,
             const std::function<void(std::string_view)>& sink, std::stop_token stop);
  void cancel(const std::string& query_id);

  Session& session_;
  Service& service_;
  Random& random_;
};

}  // namespace headrace::cli
