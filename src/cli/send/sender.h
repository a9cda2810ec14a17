#pragma once

// Sends batches of records to a topic so that each arrives once: a batch carries a producer id and
// a sequence, and is sent again after a lost connection, an overloaded or a restarting server.
//
// Thread use: one thread. Errors: those of the server that a retry does not mend; unavailable when
// the server was away longer than allowed; invalid for a bad line, naming it; commit_unknown when
// the connection broke off and a repeated batch might arrive twice (see is_idempotent).

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "cli/send/record_reader.h"
#include "cli/service.h"

namespace headrace::cli {

enum class RecordFormat {
  kNdjson,  // each line is a JSON value, and checked
  kText,    // each line is a record as it stands
};

struct SendSettings {
  std::string topic;
  RecordFormat format = RecordFormat::kNdjson;
  std::string key;        // JSON pointer; empty: no keys
  std::string timestamp;  // JSON pointer; empty: the time of arrival
  std::optional<int64_t> partition;
  bool skip_bad = false;
  // False: the records of a request go to several partitions, where the log keeps no one sequence
  // for them; a try whose outcome is not known is then not repeated.
  bool is_idempotent = true;
  std::chrono::seconds patience{60};  // how long a batch is tried again
};

struct SendTotals {
  int64_t records = 0;
  int64_t bytes = 0;
  int64_t duplicates = 0;  // arrived already by an earlier try
  int64_t skipped = 0;
  int64_t retries = 0;
};

class Sender {
 public:
  // `note` is told of retries and skipped lines.
  Sender(Service& service, SendSettings settings, Clock& clock, Random& random,
         std::function<void(const std::string&)> note);

  void send(std::vector<Line> batch, const std::stop_token& stop);
  const SendTotals& totals() const { return totals_; }

 private:
  http::Request request_of(const std::vector<Line>& batch) const;
  // Sends until there is an answer that no retry mends.
  http::Response deliver(const std::vector<Line>& batch, const std::stop_token& stop);
  [[noreturn]] void fail_unknown(const std::vector<Line>& batch, const std::string& reason) const;
  void wait_before_retry(int attempt, milliseconds at_least, const std::string& reason,
                         SteadyTime give_up, const std::stop_token& stop);
  // Drops the line that the answer complains of; throws when it names none or none may be skipped.
  void drop_bad_line(std::vector<Line>& batch, const http::Response& answer);

  Service& service_;
  SendSettings settings_;
  Clock& clock_;
  Random& random_;
  std::function<void(const std::string&)> note_;
  std::string target_;
  int64_t producer_id_;
  int64_t sequence_ = 0;
  SendTotals totals_;
};

}  // namespace headrace::cli
