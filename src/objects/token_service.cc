#include "objects/token_service.h"

#include <ctime>
#include <iomanip>
#include <sstream>

#include "base/error.h"
#include "objects/s3_xml.h"
#include "objects/sigv4.h"

namespace headrace::objects {
namespace {

using Form = std::vector<std::pair<std::string, std::string>>;

constexpr milliseconds kTimeout{10'000};
constexpr uint64_t kMaxTokenBytes = 1024 * 1024;

std::string endpoint(const CredentialContext& context) {
  if (const auto given = context.environment("AWS_ENDPOINT_URL_STS")) return *given;
  if (const auto given = context.environment("AWS_ENDPOINT_URL")) return *given;
  const std::string domain =
      context.region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return format("https://sts.{}.{}", context.region, domain);
}

Form form_of(const std::string& action, const AssumedRole& role) {
  Form form = {{"Action", action},
               {"Version", "2011-06-15"},
               {"RoleArn", role.role_arn},
               {"RoleSessionName", role.session_name.empty() ? "headrace" : role.session_name}};
  if (!role.external_id.empty()) form.emplace_back("ExternalId", role.external_id);
  return form;
}

Credentials ask(const CredentialContext& context, const AssumedRole& role, const Form& form,
                const Credentials* signed_with) {
  std::string base = endpoint(context);
  while (base.ends_with('/')) base.pop_back();
  const std::string body = canonical_query(form);
  const Timestamp now = context.clock.now();
  SignedRequest request;
  request.method = "POST";
  request.path = "/";
  request.headers.set("Host", base.substr(base.find("://") + 3));
  request.headers.set("X-Amz-Date", amz_date(now));
  request.headers.set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  request.payload_hash = sha256_hex(body);
  if (signed_with != nullptr) {
    if (!signed_with->session_token.empty()) {
      request.headers.set("X-Amz-Security-Token", signed_with->session_token);
    }
    request.headers.set("Authorization",
                        authorization(request,
                                      {signed_with->access_key_id, signed_with->secret_access_key,
                                       context.region, "sts"},
                                      now));
  }
  const http::Response response = context.connections.perform({.method = "POST",
                                                               .url = base + "/",
                                                               .headers = request.headers,
                                                               .body = body,
                                                               .max_answer_bytes = kMaxTokenBytes,
                                                               .timeout = kTimeout});
  if (response.status >= 400) {
    const S3Complaint complaint = parse_complaint(response.body);
    fail(response.status >= 500 ? ErrorKind::kUnavailable : ErrorKind::kDenied,
         "{} answers {} {} when asked for the role {}: {}", base, response.status, complaint.code,
         role.role_arn, complaint.message);
  }
  Credentials credentials = parse_assumed_role(response.body);
  credentials.source = format("role {} by {}", role.role_arn, base);
  return credentials;
}

}  // namespace

Credentials assume_role(const CredentialContext& context, const AssumedRole& role,
                        const Credentials& with) {
  return ask(context, role, form_of("AssumeRole", role), &with);
}

Credentials assume_role_with_web_identity(const CredentialContext& context, const AssumedRole& role,
                                          const std::string& token) {
  Form form = form_of("AssumeRoleWithWebIdentity", role);
  form.emplace_back("WebIdentityToken", token);
  return ask(context, role, form, nullptr);
}

Timestamp timestamp_from_iso8601(const std::string& text) {
  std::tm read{};
  std::istringstream in(text);
  in >> std::get_time(&read, "%Y-%m-%dT%H:%M:%S");
  const std::chrono::year_month_day date{std::chrono::year(read.tm_year + 1900),
                                         std::chrono::month(static_cast<unsigned>(read.tm_mon + 1)),
                                         std::chrono::day(static_cast<unsigned>(read.tm_mday))};
  if (!in || !date.ok() || !(text.ends_with('Z') || text.ends_with("+00:00"))) {
    fail(ErrorKind::kInvalid, "\"{}\" is not a time such as 2026-01-02T03:04:05Z", text);
  }
  return std::chrono::sys_days(date) + std::chrono::hours(read.tm_hour) +
         std::chrono::minutes(read.tm_min) + std::chrono::seconds(read.tm_sec);
}

}  // namespace headrace::objects
