#pragma once

// AWS Signature Version 4 of requests, with credentials in the header Authorization.
// Facts: "AWS Signature Version 4 for API requests" (Amazon IAM guide) and its test suite. Pure
// functions, any thread.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "http/message.h"

namespace headrace::objects {

struct SigningKey {
  std::string access_key_id;
  std::string secret_access_key;
  std::string region;
  std::string service;  // s3, sts
};

struct SignedRequest {
  std::string method;
  std::string path;                                        // as it is sent
  std::vector<std::pair<std::string, std::string>> query;  // plain
  http::Headers headers;     // all of them are signed; with Host and X-Amz-Date
  std::string payload_hash;  // hex SHA-256 of the body, or UNSIGNED-PAYLOAD
};

// The value of the header Authorization.
std::string authorization(const SignedRequest& request, const SigningKey& key, Timestamp time);

// 20150830T123600Z
std::string amz_date(Timestamp time);
std::string sha256_hex(std::string_view bytes);
// As the header Content-MD5 has it.
std::string md5_base64(std::string_view bytes);
// name=value&…, percent-encoded and in the order in which it is signed.
std::string canonical_query(const std::vector<std::pair<std::string, std::string>>& query);

inline constexpr const char* kUnsignedPayload = "UNSIGNED-PAYLOAD";

}  // namespace headrace::objects
