#include "objects/s3_client.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "objects/aws_profiles.h"
#include "objects/sigv4.h"
#include "telemetry/log.h"

namespace headrace::objects {
namespace {

constexpr int kUsualReadsPerHedge = 4;
constexpr int kAverageOver = 16;
constexpr std::chrono::seconds kLongestRetryAfter{30};

std::string region_of(const S3Options& options, const S3Collaborators& collaborators) {
  if (!options.region.empty()) return options.region;
  for (const char* variable : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (const auto region = collaborators.environment(variable)) return *region;
  }
  const std::string name =
      options.profile.empty() ? profile_name(collaborators.environment) : options.profile;
  const ProfileFiles files = load_profiles(collaborators.files, collaborators.environment);
  const auto profile = files.profiles.find(name);
  if (profile != files.profiles.end()) {
    const auto region = profile->second.find("region");
    if (region != profile->second.end()) return region->second;
  }
  return "us-east-1";
}

S3Access access_of(const S3Options& options, const S3Collaborators& collaborators) {
  S3Access access;
  access.region = region_of(options, collaborators);
  access.endpoint = options.endpoint;
  for (const char* variable : {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}) {
    if (!access.endpoint.empty()) break;
    access.endpoint = collaborators.environment(variable).value_or("");
  }
  access.is_amazon = access.endpoint.empty();
  if (access.is_amazon) {
    const char* domain = access.region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    access.endpoint = format("https://s3.{}.{}", access.region, domain);
  }
  while (access.endpoint.ends_with('/')) access.endpoint.pop_back();
  const size_t scheme = access.endpoint.find("://");
  const bool is_http =
      access.endpoint.starts_with("http://") || access.endpoint.starts_with("https://");
  if (!is_http || access.endpoint.find('/', scheme + 3) != std::string::npos) {
    fail(ErrorKind::kInvalid,
         "the S3 endpoint \"{}\" is not of the form https://host or http://host:port",
         access.endpoint);
  }
  access.path_style = options.address_style == AddressStyle::kPath ||
                      (options.address_style == AddressStyle::kAuto && !access.is_amazon);
  return access;
}

std::vector<CredentialSource> sources_of(const S3Options& options,
                                         const CredentialContext& context) {
  if (options.access_key_id.empty()) return standard_sources(context);
  return {{"headrace.yaml", [options]() -> std::optional<Credentials> {
             return Credentials{.access_key_id = options.access_key_id,
                                .secret_access_key = options.secret_access_key,
                                .session_token = options.session_token,
                                .source = "headrace.yaml (storage.s3.access_key_id)"};
           }}};
}

CredentialContext context_of(const S3Collaborators& collaborators, const S3Options& options,
                             const std::string& region) {
  return {collaborators.environment, collaborators.files, collaborators.clock,
          collaborators.connections, options.profile,     region};
}

bool is_passing(int status, const std::string& code) {
  return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 ||
         status == 504 || (status == 400 && code == "RequestTimeout") ||
         (status == 409 && (code == "ConditionalRequestConflict" || code == "OperationAborted"));
}

// How long the body of an answer says that it is: "bytes 0-9/100" is 10.
uint64_t told_bytes(const http::Response& response) {
  const std::string_view range = response.headers.get_or("Content-Range", "");
  uint64_t first = 0;
  uint64_t last = 0;
  const size_t blank = range.find(' ');
  const size_t dash = range.find('-');
  if (response.status != 206 || blank == std::string_view::npos || dash == std::string_view::npos) {
    return response.body.size();
  }
  std::from_chars(range.data() + blank + 1, range.data() + dash, first);
  std::from_chars(range.data() + dash + 1, range.data() + range.size(), last);
  return last - first + 1;
}

bool are_credentials_old(const std::string& code) {
  return code == "ExpiredToken" || code == "ExpiredTokenException" ||
         code == "TokenRefreshRequired";
}

}  // namespace

S3Client::S3Client(const S3Collaborators& collaborators, const S3Options& options)
    : collaborators_(collaborators),
      options_(options),
      context_(context_of(collaborators, options, region_of(options, collaborators))),
      access_(access_of(options, collaborators)),
      chain_(sources_of(options, context_), collaborators.clock),
      retries_(collaborators.metrics.counter("headrace_objects_retries_total",
                                             "Requests to S3 that were sent again after a fault")),
      hedges_(collaborators.metrics.counter("headrace_objects_hedged_reads_total",
                                            "Reads from S3 that were sent twice, being slow")),
      bytes_sent_(collaborators.metrics.counter("headrace_objects_sent_bytes_total",
                                                "Bytes of objects sent to S3")),
      bytes_received_(collaborators.metrics.counter("headrace_objects_received_bytes_total",
                                                    "Bytes of answers received from S3")) {}

std::string S3Client::url_of(const S3Request& request, std::string& host, std::string& path) const {
  const size_t after_scheme = access_.endpoint.find("://") + 3;
  host = access_.endpoint.substr(after_scheme);
  path = "/" + percent_encoded(request.at.key, true);
  // A dot in a bucket's name does not fit the certificate of the virtual host.
  const bool dots_hurt = request.at.bucket.find('.') != std::string::npos &&
                         options_.address_style == AddressStyle::kAuto;
  if (access_.path_style || dots_hurt) {
    path = "/" + percent_encoded(request.at.bucket, false) + (request.at.key.empty() ? "" : path);
  } else {
    host.insert(0, request.at.bucket + ".");
  }
  const std::string query = canonical_query(request.query);
  return access_.endpoint.substr(0, after_scheme) + host + path +
         (query.empty() ? "" : "?" + query);
}

http::Call S3Client::signed_call(const S3Request& request, const Credentials& credentials) const {
  SignedRequest to_sign;
  std::string host;
  http::Call call;
  call.method = request.method;
  call.url = url_of(request, host, to_sign.path);
  call.body = request.body;
  call.max_answer_bytes = request.max_answer_bytes;
  const bool is_plain = access_.endpoint.starts_with("http://");
  const bool is_signed = options_.payload_signing == PayloadSigning::kSigned ||
                         (options_.payload_signing == PayloadSigning::kAuto && is_plain);
  to_sign.method = request.method;
  to_sign.query = request.query;
  to_sign.headers = request.headers;
  to_sign.payload_hash =
      is_signed || request.body.empty() ? sha256_hex(request.body) : kUnsignedPayload;
  const Timestamp now = collaborators_.clock.now();
  to_sign.headers.set("Host", host);
  to_sign.headers.set("X-Amz-Date", amz_date(now));
  to_sign.headers.set("X-Amz-Content-Sha256", to_sign.payload_hash);
  if (!credentials.session_token.empty()) {
    to_sign.headers.set("X-Amz-Security-Token", credentials.session_token);
  }
  call.headers = to_sign.headers;
  call.headers.set(
      "Authorization",
      authorization(
          to_sign, {credentials.access_key_id, credentials.secret_access_key, access_.region, "s3"},
          now));
  // Else libcurl names a form; it need not be signed.
  if (!request.body.empty() || request.method == "PUT" || request.method == "POST") {
    if (!call.headers.find("Content-Type")) {
      call.headers.set("Content-Type", "application/octet-stream");
    }
  }
  return call;
}

milliseconds S3Client::hedge_delay() const {
  const milliseconds usual =
      std::chrono::duration_cast<milliseconds>(microseconds(usual_read_micros_));
  return std::max(options_.hedge_after, usual * kUsualReadsPerHedge);
}

http::Response S3Client::perform(const S3Request& request, const http::Call& call) {
  const bool is_allowed = request.may_hedge && options_.hedge_percent > 0 &&
                          hedged_reads_ * 100 <= reads_ * options_.hedge_percent;
  if (request.may_hedge) ++reads_;
  if (!is_allowed) return collaborators_.connections.perform(call);
  const SteadyTime began = collaborators_.clock.steady_now();
  http::Connections::Hedged hedged = collaborators_.connections.perform_hedged(call, hedge_delay());
  const int64_t micros =
      std::chrono::duration_cast<microseconds>(collaborators_.clock.steady_now() - began).count();
  usual_read_micros_ += (micros - usual_read_micros_) / kAverageOver;
  if (hedged.was_hedged) {
    ++hedged_reads_;
    hedges_.add();
  }
  return std::move(hedged.response);
}

S3Client::Outcome S3Client::attempt(const S3Request& request) {
  const Credentials credentials = chain_.get();
  const http::Call call = signed_call(request, credentials);
  Outcome outcome;
  try {
    outcome.answer.response = perform(request, call);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kUnavailable && error.kind() != ErrorKind::kTimeout) throw;
    outcome.fault = error.message();
    outcome.kind = error.kind();
    return outcome;
  }
  const http::Response& response = outcome.answer.response;
  bytes_sent_.add(static_cast<double>(request.body.size()));
  bytes_received_.add(static_cast<double>(response.body.size()));
  collaborators_.metrics
      .counter("headrace_objects_requests_total", "Requests to S3",
               {{"method", request.method}, {"status", format("{}", response.status)}})
      .add();
  if (response.status < 400) {
    const uint64_t told = told_bytes(response);
    if (response.body.size() != told) {
      outcome.fault = format("{} bytes came of {}", response.body.size(), told);
    }
    return outcome;
  }
  outcome.answer.complaint = parse_complaint(response.body);
  const S3Complaint& complaint = outcome.answer.complaint;
  if (is_passing(response.status, complaint.code)) {
    outcome.fault = format("it answers {} {}", response.status, complaint.code);
    outcome.had_no_effect = complaint.code == "SlowDown";
  } else if (are_credentials_old(complaint.code)) {
    chain_.refuse(credentials);
    outcome.fault = "the credentials have expired";
    outcome.kind = ErrorKind::kDenied;
    outcome.had_no_effect = true;
  }
  return outcome;
}

// Between nothing and a bound that grows, so that many do not come back together.
void S3Client::pause(int attempt, const http::Response& response) {
  const milliseconds bound =
      std::min(options_.first_pause * (1 << std::min(attempt, 16)), options_.longest_pause);
  milliseconds wait(
      static_cast<int64_t>(collaborators_.random.below(static_cast<uint64_t>(bound.count()) + 1)));
  const std::string_view asked = response.headers.get_or("Retry-After", "");
  int64_t asked_seconds = 0;
  std::from_chars(asked.data(), asked.data() + asked.size(), asked_seconds);
  wait = std::max(wait,
                  milliseconds(std::min(std::chrono::seconds(asked_seconds), kLongestRetryAfter)));
  collaborators_.clock.sleep_for(wait, {});
}

S3Answer S3Client::send(const S3Request& request) {
  bool may_have_happened = false;
  for (int attempt = 1;; ++attempt) {
    Outcome outcome = this->attempt(request);
    outcome.answer.may_have_happened = may_have_happened;
    if (outcome.fault.empty()) return std::move(outcome.answer);
    if (!outcome.had_no_effect) may_have_happened = true;
    if (attempt >= options_.max_attempts) {
      fail(outcome.kind, "{} {} at {}: {}; given up after {} attempts", request.doing,
           request.at.to_uri(), access_.endpoint, outcome.fault, attempt);
    }
    retries_.add();
    telemetry::log_debug("objects", "a request to S3 is tried again",
                         {{"doing", request.doing},
                          {"object", request.at.to_uri()},
                          {"attempt", attempt},
                          {"reason", outcome.fault}});
    pause(attempt, outcome.answer.response);
  }
}

S3Answer S3Client::send_or_throw(const S3Request& request) {
  S3Answer answer = send(request);
  if (answer.response.status >= 300) fail_with(answer, request);
  return answer;
}

void S3Client::fail_with(const S3Answer& answer, const S3Request& request) {
  const int status = answer.response.status;
  const S3Complaint& complaint = answer.complaint;
  const std::string what =
      format("{} {} at {}", request.doing, request.at.to_uri(), access_.endpoint);
  const std::string_view elsewhere = answer.response.headers.get_or("x-amz-bucket-region", "");
  const std::string region = complaint.region.empty() ? std::string(elsewhere) : complaint.region;
  const bool is_elsewhere = status == 301 || status == 307 ||
                            complaint.code == "AuthorizationHeaderMalformed" ||
                            complaint.code == "IllegalLocationConstraintException";
  if (is_elsewhere && !region.empty()) {
    fail(ErrorKind::kInvalid,
         "{}: the bucket is in the region {}, not in {}; set storage.s3.region", what, region,
         access_.region);
  }
  if (status == 401 || status == 403) {
    const Credentials used = chain_.get();
    const std::string hint = complaint.code == "RequestTimeTooSkewed"
                                 ? "; the clock of this machine differs from the server's"
                                 : format("; the credentials are those of {}, access key {}",
                                          used.source, shortened(used.access_key_id));
    fail(ErrorKind::kDenied, "{}: it answers {} {}: {}{}", what, status, complaint.code,
         complaint.message.empty() ? "access denied" : complaint.message, hint);
  }
  if (status == 404 && complaint.code == "NoSuchBucket") {
    fail(ErrorKind::kNotFound,
         "{}: there is no bucket {}; make it first, or mend the name in headrace.yaml", what,
         request.at.bucket);
  }
  if (status == 404) fail(ErrorKind::kNotFound, "{}: there is no such object", what);
  if (status == 412) fail(ErrorKind::kConflict, "{}: it is not what it was any more", what);
  const ErrorKind kind = status >= 500 ? ErrorKind::kUnavailable : ErrorKind::kInvalid;
  fail(kind, "{}: it answers {} {}: {}", what, status, complaint.code,
       complaint.message.empty() ? answer.response.body.substr(0, 300) : complaint.message);
}

}  // namespace headrace::objects
