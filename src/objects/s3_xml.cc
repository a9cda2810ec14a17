#include "objects/s3_xml.h"

#include <charconv>
#include <sstream>

#include <pugixml.hpp>

#include "base/error.h"
#include "objects/token_service.h"

namespace headrace::objects {
namespace {

// Namespaces are left out: servers differ in whether they write any.
pugi::xml_node root_of(pugi::xml_document& document, std::string_view xml, const char* name) {
  const pugi::xml_parse_result parsed = document.load_buffer(xml.data(), xml.size());
  const pugi::xml_node root = document.child(name);
  if (parsed && root) return root;
  fail(ErrorKind::kUnavailable, "the answer is not the XML <{}> that S3 sends: {}", name,
       xml.substr(0, 200));
}

std::string text_of(pugi::xml_node node, const char* child) { return node.child_value(child); }

uint64_t number_of(pugi::xml_node node, const char* child) {
  const std::string text = text_of(node, child);
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool is_true(pugi::xml_node node, const char* child) { return text_of(node, child) == "true"; }

std::string to_string(const pugi::xml_document& document) {
  std::ostringstream out;
  document.save(out, "", pugi::format_raw);
  return out.str();
}

Timestamp time_of(pugi::xml_node node, const char* child) {
  try {
    return timestamp_from_iso8601(text_of(node, child));
  } catch (const Error& error) {
    throw Error(ErrorKind::kUnavailable, format("{} of a listing: {}", child, error.message()));
  }
}

void add(pugi::xml_node parent, const char* name, const std::string& text) {
  parent.append_child(name).append_child(pugi::node_pcdata).set_value(text.c_str());
}

}  // namespace

S3Complaint parse_complaint(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) return {};
  pugi::xml_node error = document.child("Error");
  if (!error) error = document.child("ErrorResponse").child("Error");  // of the token service
  return {text_of(error, "Code"), text_of(error, "Message"), text_of(error, "Region")};
}

ListedPage parse_listing(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = root_of(document, xml, "ListBucketResult");
  ListedPage page;
  for (const pugi::xml_node entry : root.children("Contents")) {
    page.objects.push_back({text_of(entry, "Key"), number_of(entry, "Size"), text_of(entry, "ETag"),
                            micros_since_epoch(time_of(entry, "LastModified"))});
  }
  if (is_true(root, "IsTruncated")) {
    page.next_token = text_of(root, "NextContinuationToken");
    if (page.next_token.empty()) {
      fail(ErrorKind::kUnavailable, "a listing is cut off, but does not say how it goes on");
    }
  }
  return page;
}

std::string parse_upload_id(std::string_view xml) {
  pugi::xml_document document;
  const std::string id =
      text_of(root_of(document, xml, "InitiateMultipartUploadResult"), "UploadId");
  if (id.empty()) fail(ErrorKind::kUnavailable, "an upload was begun, but got no id");
  return id;
}

ListedUploads parse_uploads(std::string_view xml) {
  pugi::xml_document document;
  const pugi::xml_node root = root_of(document, xml, "ListMultipartUploadsResult");
  ListedUploads listed;
  for (const pugi::xml_node entry : root.children("Upload")) {
    listed.uploads.push_back(
        {text_of(entry, "Key"), text_of(entry, "UploadId"), time_of(entry, "Initiated")});
  }
  listed.is_truncated = is_true(root, "IsTruncated");
  listed.next_key = text_of(root, "NextKeyMarker");
  listed.next_upload_id = text_of(root, "NextUploadIdMarker");
  return listed;
}

std::string parse_completed(std::string_view xml) {
  pugi::xml_document document;
  return text_of(root_of(document, xml, "CompleteMultipartUploadResult"), "ETag");
}

std::string completion_xml(const std::vector<std::string>& part_etags) {
  pugi::xml_document document;
  const pugi::xml_node root = document.append_child("CompleteMultipartUpload");
  for (size_t i = 0; i < part_etags.size(); ++i) {
    pugi::xml_node part = document.child("CompleteMultipartUpload").append_child("Part");
    add(part, "PartNumber", format("{}", i + 1));
    add(part, "ETag", part_etags[i]);
  }
  return root ? to_string(document) : "";
}

std::string deletion_xml(const std::vector<std::string>& keys) {
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("Delete");
  add(root, "Quiet", "true");
  for (const std::string& key : keys) add(root.append_child("Object"), "Key", key);
  return to_string(document);
}

std::vector<NotDeleted> parse_deletion(std::string_view xml) {
  pugi::xml_document document;
  std::vector<NotDeleted> failed;
  for (const pugi::xml_node entry : root_of(document, xml, "DeleteResult").children("Error")) {
    failed.push_back({text_of(entry, "Key"), text_of(entry, "Code"), text_of(entry, "Message")});
  }
  return failed;
}

Credentials parse_assumed_role(std::string_view xml) {
  pugi::xml_document document;
  if (!document.load_buffer(xml.data(), xml.size())) {
    fail(ErrorKind::kUnavailable, "the token service answers with something that is no XML");
  }
  const pugi::xml_node found = document.find_node(
      [](const pugi::xml_node& node) { return std::string_view(node.name()) == "Credentials"; });
  Credentials credentials{.access_key_id = text_of(found, "AccessKeyId"),
                          .secret_access_key = text_of(found, "SecretAccessKey"),
                          .session_token = text_of(found, "SessionToken")};
  if (credentials.access_key_id.empty()) {
    fail(ErrorKind::kUnavailable, "the token service answers without credentials");
  }
  credentials.expires = time_of(found, "Expiration");
  return credentials;
}

}  // namespace headrace::objects
