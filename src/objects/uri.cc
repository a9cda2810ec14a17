#include "objects/uri.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string_view>

#include "base/error.h"

namespace headrace::objects {
namespace {

constexpr std::string_view kFile = "file://";

std::string without_trailing_slashes(std::string text, size_t shortest) {
  while (text.size() > shortest && text.ends_with('/')) text.pop_back();
  return text;
}

// Amazon's rules, but for the underscores and capitals that older buckets and other servers have.
bool is_bucket_name(const std::string& name) {
  return name.size() >= 3 && name.size() <= 255 &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
         });
}

// They would be resolved on the way by whoever takes a key for a path.
void check_segments(const std::string& key, const std::string& uri) {
  for (size_t begin = 0; begin <= key.size();) {
    const size_t end = std::min(key.find('/', begin), key.size());
    const std::string_view segment = std::string_view(key).substr(begin, end - begin);
    if (segment == "." || segment == "..") {
      fail(ErrorKind::kInvalid, "{}: a key cannot hold \"{}\" between slashes", uri, segment);
    }
    begin = end + 1;
  }
}

}  // namespace

std::string local_path(const std::string& uri) {
  if (uri.starts_with('/')) return uri;
  // file:/path and file:///path are both in use; file://host/path is not local.
  if (uri.starts_with("file:///")) return uri.substr(kFile.size());
  if (uri.starts_with("file:/") && !uri.starts_with(kFile)) return uri.substr(5);
  fail(ErrorKind::kInvalid, "opening {}: only file:// locations are local files", uri);
}

std::string file_uri(const std::string& path) {
  if (!path.starts_with('/')) {
    fail(ErrorKind::kInternal, "making a file URI of {}: the path is not absolute", path);
  }
  return std::string(kFile) + path;
}

bool is_s3(const std::string& uri) {
  return uri.starts_with("s3://") || uri.starts_with("s3a://") || uri.starts_with("s3n://");
}

S3Location parse_s3(const std::string& uri) {
  if (!is_s3(uri)) fail(ErrorKind::kInvalid, "{} does not begin with s3://", uri);
  const std::string rest = uri.substr(uri.find("://") + 3);
  const size_t slash = rest.find('/');
  S3Location location{rest.substr(0, slash),
                      slash == std::string::npos ? "" : rest.substr(slash + 1)};
  if (!is_bucket_name(location.bucket)) {
    fail(ErrorKind::kInvalid, "{}: \"{}\" is not the name of a bucket; write s3://bucket/prefix",
         uri, location.bucket);
  }
  check_segments(location.key, uri);
  return location;
}

std::string normalized(const std::string& uri) {
  if (is_s3(uri)) {
    S3Location location = parse_s3(uri);
    location.key = without_trailing_slashes(std::move(location.key), 0);
    return location.to_uri();
  }
  const size_t scheme = uri.find("://");
  if (scheme != std::string::npos && !uri.starts_with("file:")) {
    fail(ErrorKind::kInvalid,
         "opening {}: {}:// is no place for tables; use s3:// or a local folder", uri,
         uri.substr(0, scheme));
  }
  const std::string path = std::filesystem::path(local_path(uri)).lexically_normal().string();
  return file_uri(without_trailing_slashes(path, 1));
}

bool is_within(const std::string& uri, const std::string& folder) {
  return uri.size() > folder.size() && uri.starts_with(folder) && uri[folder.size()] == '/';
}

std::string percent_encoded(const std::string& text, bool keep_slashes) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (byte < 0x80 && std::isalnum(byte) != 0) || c == '-' || c == '_' ||
                          c == '.' || c == '~' || (keep_slashes && c == '/');
    if (is_plain) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kHex[byte >> 4];
      encoded += kHex[byte & 15];
    }
  }
  return encoded;
}

}  // namespace headrace::objects
