#pragma once

// Where an object is. Keys stand in s3:// URIs as they are, without percent signs, as Iceberg has
// it. Pure functions, any thread.

#include <string>

namespace headrace::objects {

// file:///a/b → /a/b, also /a/b itself; invalid for other schemes.
std::string local_path(const std::string& uri);
std::string file_uri(const std::string& path);

// s3://, and s3a:// and s3n:// as Hadoop writes them.
bool is_s3(const std::string& uri);

struct S3Location {
  std::string bucket;
  std::string key;  // may be empty

  std::string to_uri() const { return "s3://" + bucket + (key.empty() ? "" : "/" + key); }
};

// invalid when it is no s3:// URI, or its bucket has no name that S3 allows.
S3Location parse_s3(const std::string& uri);

// One spelling for one place: file:///a/../b and /b are file:///b, s3a://x/y/ is s3://x/y. invalid
// for schemes that are not known, and for "." and ".." in keys.
std::string normalized(const std::string& uri);

// Both normalized.
bool is_within(const std::string& uri, const std::string& folder);

// Percent-encodes all but unreserved characters (RFC 3986, section 2.3), and, in paths, "/".
std::string percent_encoded(const std::string& text, bool keep_slashes);

}  // namespace headrace::objects
