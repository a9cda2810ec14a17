#include "objects/sigv4.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/error.h"
#include "base/text.h"
#include "objects/uri.h"

namespace headrace::objects {
namespace {

constexpr const char* kAlgorithm = "AWS4-HMAC-SHA256";
constexpr size_t kHashBytes = 32;

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::string hmac(std::string_view key, std::string_view message) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes, message.size(),
           digest.data(), &size) == nullptr) {
    fail(ErrorKind::kInternal, "signing a request: OpenSSL computes no HMAC");
  }
  return {reinterpret_cast<const char*>(digest.data()), size};
}

// A value without blanks around it, and single ones in it.
std::string canonical_value(std::string_view value) {
  std::string result;
  for (const char c : value) {
    const bool is_blank = c == ' ' || c == '\t' || c == '\n';
    if (!is_blank) {
      result += c;
    } else if (!result.empty() && result.back() != ' ') {
      result += ' ';
    }
  }
  while (result.ends_with(' ')) result.pop_back();
  return result;
}

struct CanonicalHeaders {
  std::string lines;
  std::string names;
};

CanonicalHeaders canonical_headers(const http::Headers& headers) {
  std::map<std::string, std::string> sorted;
  for (const auto& [name, value] : headers) {
    std::string& all = sorted[to_lower(name)];
    all += (all.empty() ? "" : ",") + canonical_value(value);
  }
  CanonicalHeaders result;
  for (const auto& [name, value] : sorted) {
    result.lines += format("{}:{}\n", name, value);
    result.names += (result.names.empty() ? "" : ";") + name;
  }
  return result;
}

}  // namespace

std::string amz_date(Timestamp time) {
  return format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    fail(ErrorKind::kInternal, "signing a request: OpenSSL computes no SHA-256");
  }
  return hex({reinterpret_cast<const char*>(digest.data()), kHashBytes});
}

std::string md5_base64(std::string_view bytes) {
  constexpr size_t kMd5Bytes = 16;
  constexpr size_t kEncodedBytes = 24;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr) != 1) {
    fail(ErrorKind::kInternal, "OpenSSL computes no MD5, which S3 wants of a list of removals");
  }
  std::array<unsigned char, kEncodedBytes + 1> text{};
  EVP_EncodeBlock(text.data(), digest.data(), kMd5Bytes);
  return {reinterpret_cast<const char*>(text.data()), kEncodedBytes};
}

std::string canonical_query(const std::vector<std::pair<std::string, std::string>>& query) {
  std::vector<std::pair<std::string, std::string>> encoded;
  for (const auto& [name, value] : query) {
    encoded.emplace_back(percent_encoded(name, false), percent_encoded(value, false));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string text;
  for (const auto& [name, value] : encoded) {
    if (!text.empty()) text += '&';
    text += format("{}={}", name, value);
  }
  return text;
}

std::string authorization(const SignedRequest& request, const SigningKey& key, Timestamp time) {
  const CanonicalHeaders headers = canonical_headers(request.headers);
  const std::string canonical =
      format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path, canonical_query(request.query),
             headers.lines, headers.names, request.payload_hash);
  const std::string date = amz_date(time);
  const std::string day = date.substr(0, 8);
  const std::string scope = format("{}/{}/{}/aws4_request", day, key.region, key.service);
  const std::string to_sign =
      format("{}\n{}\n{}\n{}", kAlgorithm, date, scope, sha256_hex(canonical));
  std::string signing_key = hmac("AWS4" + key.secret_access_key, day);
  for (const std::string_view part : {std::string_view(key.region), std::string_view(key.service),
                                      std::string_view("aws4_request")}) {
    signing_key = hmac(signing_key, part);
  }
  return format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                key.access_key_id, scope, headers.names, hex(hmac(signing_key, to_sign)));
}

}  // namespace headrace::objects
