#pragma once

// Sends one request of the S3 protocol: signs it, sends it, tries again. Private to the module.
// Any thread.

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "objects/s3_store.h"
#include "objects/s3_xml.h"
#include "objects/uri.h"

namespace headrace::objects {

// Tells an own write, of which the answer was lost, from that of another.
inline constexpr const char* kWriteMarkHeader = "x-amz-meta-headrace-write";

struct S3Request {
  std::string doing;  // for messages: "writing"
  std::string method = "GET";
  S3Location at = {};
  std::vector<std::pair<std::string, std::string>> query = {};
  http::Headers headers = {};
  std::string_view body = {};
  bool may_hedge = false;
  uint64_t max_answer_bytes = 64 * 1024 * 1024;
};

struct S3Answer {
  http::Response response;
  // An attempt before this one may have had its effect, though no answer came.
  bool may_have_happened = false;
  S3Complaint complaint = {};  // of an error status
};

class S3Client {
 public:
  S3Client(const S3Collaborators& collaborators, const S3Options& options);

  // The answer of whatever status, after retries of the passing ones.
  S3Answer send(const S3Request& request);
  // The same; throws the Error that an error status stands for.
  S3Answer send_or_throw(const S3Request& request);
  [[noreturn]] void fail_with(const S3Answer& answer, const S3Request& request);

  const S3Access& access() const { return access_; }
  Credentials credentials() { return chain_.get(); }
  const S3Options& options() const { return options_; }
  const S3Collaborators& collaborators() const { return collaborators_; }

 private:
  struct Outcome {
    S3Answer answer;
    std::string fault;  // why it should be tried again; empty: it is final
    ErrorKind kind = ErrorKind::kUnavailable;
    bool had_no_effect = false;  // the server refused it
  };

  Outcome attempt(const S3Request& request);
  http::Call signed_call(const S3Request& request, const Credentials& credentials) const;
  std::string url_of(const S3Request& request, std::string& host, std::string& path) const;
  http::Response perform(const S3Request& request, const http::Call& call);
  milliseconds hedge_delay() const;
  void pause(int attempt, const http::Response& response);

  const S3Collaborators collaborators_;
  const S3Options options_;
  CredentialContext context_;
  S3Access access_;
  CredentialChain chain_;
  telemetry::Counter& retries_;
  telemetry::Counter& hedges_;
  telemetry::Counter& bytes_sent_;
  telemetry::Counter& bytes_received_;
  std::atomic<int64_t> usual_read_micros_ = 0;  // a moving average
  std::atomic<int64_t> reads_ = 0;
  std::atomic<int64_t> hedged_reads_ = 0;
};

}  // namespace headrace::objects
