#include "cli/send/sender.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "cli/print/units.h"

namespace headrace::cli {
namespace {

constexpr int kTooManyRequests = 429;
constexpr milliseconds kFirstWait{100};
constexpr milliseconds kLongestWait{5000};
constexpr int64_t kSequences = int64_t{1} << 31;  // sequences wrap as Kafka's do

bool may_pass(int status) {
  return status == kTooManyRequests || status == 502 || status == 503 || status == 504;
}

milliseconds retry_after(const http::Response& answer) {
  const std::string_view text = answer.headers.get_or("Retry-After", "0");
  int seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return milliseconds(std::clamp(seconds, 0, 60) * 1000);
}

std::string target_of(const SendSettings& settings) {
  std::string target = "/v1/topics/" + encoded(settings.topic) + "/records";
  char separator = '?';
  const auto add = [&](std::string_view name, const std::string& value) {
    target.append(1, separator).append(name).append("=").append(encoded(value));
    separator = '&';
  };
  if (!settings.key.empty()) add("key", settings.key);
  if (!settings.timestamp.empty()) add("timestamp", settings.timestamp);
  if (settings.partition) add("partition", format("{}", *settings.partition));
  return target;
}

void append_length(std::string& body, size_t length) {
  for (int shift = 24; shift >= 0; shift -= 8) body += static_cast<char>((length >> shift) & 0xFF);
}

std::string body_of(const std::vector<Line>& batch, RecordFormat format) {
  std::string body;
  for (const Line& line : batch) {
    if (format == RecordFormat::kText) {
      append_length(body, line.text.size());
      body += line.text;
    } else {
      body.append(line.text).append("\n");
    }
  }
  return body;
}

int64_t bytes_of(const std::vector<Line>& batch) {
  int64_t bytes = 0;
  for (const Line& line : batch) bytes += static_cast<int64_t>(line.text.size()) + 1;
  return bytes;
}

// A line of the batch that the server does not take.
struct Refusal {
  int64_t line = 0;  // in the batch, from 1
  std::string reason;
};

std::optional<Refusal> refusal_of(const http::Response& answer) {
  try {
    const Json body = parse_json(answer.body, "the server's answer");
    const Json& error = member(body, "error");
    return Refusal{integer_member(error, "line"), string_member(error, "message")};
  } catch (const Error&) {
    return std::nullopt;  // it complains of something else
  }
}

}  // namespace

Sender::Sender(Service& service, SendSettings settings, Clock& clock, Random& random,
               std::function<void(const std::string&)> note)
    : service_(service),
      settings_(std::move(settings)),
      clock_(clock),
      random_(random),
      note_(std::move(note)),
      target_(target_of(settings_)),
      producer_id_(static_cast<int64_t>(random.next() >> 1)) {}

http::Request Sender::request_of(const std::vector<Line>& batch) const {
  http::Request request =
      http::make_request("POST", target_, body_of(batch, settings_.format),
                         settings_.format == RecordFormat::kText ? "application/octet-stream"
                                                                 : "application/x-ndjson");
  if (!settings_.is_idempotent) return request;
  request.headers.set("Headrace-Producer-Id", format("{}", producer_id_));
  request.headers.set("Headrace-Producer-Epoch", "0");
  request.headers.set("Headrace-Sequence", format("{}", sequence_));
  return request;
}

void Sender::send(std::vector<Line> batch, const std::stop_token& stop) {
  while (!batch.empty()) {
    const http::Response answer = deliver(batch, stop);
    if (answer.status >= 400) {
      drop_bad_line(batch, answer);
      continue;
    }
    const Json result = http::json_of(answer);
    const auto records = static_cast<int64_t>(batch.size());
    const Json* duplicate = find_member(result, "duplicate");
    if (duplicate != nullptr && duplicate->is_bool() && duplicate->get_bool()) {
      totals_.duplicates += records;
    }
    totals_.records += records;
    totals_.bytes += bytes_of(batch);
    sequence_ = (sequence_ + records) % kSequences;
    return;
  }
}

http::Response Sender::deliver(const std::vector<Line>& batch, const std::stop_token& stop) {
  const SteadyTime give_up = clock_.steady_now() + settings_.patience;
  for (int attempt = 0;; ++attempt) {
    std::string reason;
    milliseconds at_least{0};
    try {
      http::Response answer = service_.send(request_of(batch));
      if (!may_pass(answer.status)) return answer;
      at_least = retry_after(answer);
      try {
        http::throw_if_error(answer);
      } catch (const Error& error) {
        reason = error.message();
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kUnavailable && error.kind() != ErrorKind::kTimeout) throw;
      if (!settings_.is_idempotent) fail_unknown(batch, error.message());
      reason = error.message();
    }
    wait_before_retry(attempt, at_least, reason, give_up, stop);
  }
}

void Sender::fail_unknown(const std::vector<Line>& batch, const std::string& reason) const {
  fail(ErrorKind::kCommitUnknown,
       "sending lines {} to {} to topic {}: {}; whether they arrived is not known, as records "
       "spread by key have no sequence: look with headrace tail before sending them again, or "
       "send into one --partition",
       batch.front().number, batch.back().number, settings_.topic, reason);
}

void Sender::wait_before_retry(int attempt, milliseconds at_least, const std::string& reason,
                               SteadyTime give_up, const std::stop_token& stop) {
  milliseconds wait = std::min(kLongestWait, kFirstWait * (1 << std::min(attempt, 10)));
  wait +=
      milliseconds(static_cast<int64_t>(random_.below(static_cast<uint64_t>(wait.count() / 4))));
  wait = std::max(wait, at_least);
  if (clock_.steady_now() + wait > give_up) {
    fail(ErrorKind::kUnavailable,
         "sending to topic {}: given up after {} tries: {}; {} arrived before, send the rest again",
         settings_.topic, attempt + 1, reason, counted(totals_.records, "record"));
  }
  ++totals_.retries;
  note_(format("{}; trying again in {}", reason, duration_text(static_cast<double>(wait.count()))));
  if (!clock_.sleep_for(wait, stop)) {
    fail(ErrorKind::kCancelled,
         "sending to topic {}: stopped while the server was away; {} arrived before",
         settings_.topic, counted(totals_.records, "record"));
  }
}

void Sender::drop_bad_line(std::vector<Line>& batch, const http::Response& answer) {
  const std::optional<Refusal> refusal = refusal_of(answer);
  if (!refusal || refusal->line < 1 || refusal->line > static_cast<int64_t>(batch.size())) {
    http::throw_if_error(answer);
  }
  const auto bad = batch.begin() + static_cast<ptrdiff_t>(refusal->line - 1);
  if (!settings_.skip_bad) {
    fail(ErrorKind::kInvalid,
         "line {}: {}; {} of the lines before it arrived; mend the line, or pass over such lines "
         "with "
         "--skip-bad",
         bad->number, refusal->reason, counted(totals_.records, "record"));
  }
  note_(format("line {} skipped: {}", bad->number, refusal->reason));
  ++totals_.skipped;
  batch.erase(bad);
}

}  // namespace headrace::cli
