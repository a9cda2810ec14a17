#pragma once

// The XML of S3 and of the token service. Facts: "Amazon S3 API reference". Pure functions, any
// thread. Errors: unavailable when an answer is not what the protocol says (it is asked again).

#include <string>
#include <string_view>
#include <vector>

#include "objects/credentials.h"
#include "objects/object_store.h"

namespace headrace::objects {

// <Error><Code>…; both empty when it is something else.
struct S3Complaint {
  std::string code;
  std::string message;
  std::string region;  // where the bucket is, when that is what is wrong
};
S3Complaint parse_complaint(std::string_view xml);

struct ListedPage {
  std::vector<ObjectInfo> objects;  // keys instead of URIs
  std::string next_token;           // empty: it was the last page
};
ListedPage parse_listing(std::string_view xml);

std::string parse_upload_id(std::string_view xml);

struct ListedUpload {
  std::string key;
  std::string upload_id;
  Timestamp initiated;
};
struct ListedUploads {
  std::vector<ListedUpload> uploads;
  std::string next_key;
  std::string next_upload_id;
  bool is_truncated = false;
};
ListedUploads parse_uploads(std::string_view xml);

// The etag of a completed upload.
std::string parse_completed(std::string_view xml);
std::string completion_xml(const std::vector<std::string>& part_etags);

std::string deletion_xml(const std::vector<std::string>& keys);
struct NotDeleted {
  std::string key;
  std::string code;
  std::string message;
};
std::vector<NotDeleted> parse_deletion(std::string_view xml);

Credentials parse_assumed_role(std::string_view xml);

}  // namespace headrace::objects
