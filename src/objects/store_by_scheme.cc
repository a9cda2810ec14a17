#include "objects/store_by_scheme.h"

#include "base/error.h"
#include "objects/uri.h"

namespace headrace::objects {
namespace {

class StoreByScheme final : public ObjectStore {
 public:
  StoreByScheme(ObjectStore& folders, ObjectStore* s3) : folders_(folders), s3_(s3) {}

  ObjectInfo put(const std::string& uri, std::string_view bytes) override {
    return of(uri).put(uri, bytes);
  }
  ObjectInfo put_if_absent(const std::string& uri, std::string_view bytes) override {
    return of(uri).put_if_absent(uri, bytes);
  }
  ObjectInfo put_if_match(const std::string& uri, std::string_view bytes,
                          const std::string& etag) override {
    return of(uri).put_if_match(uri, bytes, etag);
  }
  ObjectInfo upload(const std::string& path, const std::string& uri) override {
    return of(uri).upload(path, uri);
  }
  std::string get(const std::string& uri) override { return of(uri).get(uri); }
  ObjectPart get_range(const std::string& uri, uint64_t offset, uint64_t size,
                       const std::string& etag) override {
    return of(uri).get_range(uri, offset, size, etag);
  }
  ObjectPart get_end(const std::string& uri, uint64_t size) override {
    return of(uri).get_end(uri, size);
  }
  ObjectInfo head(const std::string& uri) override { return of(uri).head(uri); }
  void list(const std::string& folder, const OnObject& each) override {
    of(folder).list(folder, each);
  }
  bool is_empty(const std::string& folder) override { return of(folder).is_empty(folder); }
  void remove(const std::vector<std::string>& uris) override {
    std::vector<std::string> in_s3;
    std::vector<std::string> in_folders;
    for (const std::string& uri : uris) (is_s3(uri) ? in_s3 : in_folders).push_back(uri);
    if (!in_folders.empty()) folders_.remove(in_folders);
    if (!in_s3.empty()) of(in_s3.front()).remove(in_s3);
  }
  void remove_folder(const std::string& folder) override { of(folder).remove_folder(folder); }
  int64_t remove_abandoned_uploads(const std::string& folder, Timestamp before) override {
    return of(folder).remove_abandoned_uploads(folder, before);
  }
  void make_folder(const std::string& folder) override { of(folder).make_folder(folder); }

 private:
  ObjectStore& of(const std::string& uri) {
    if (!is_s3(uri)) return folders_;
    if (s3_ != nullptr) return *s3_;
    fail(ErrorKind::kInvalid, "{} is in S3, and this headrace has no access to it", uri);
  }

  ObjectStore& folders_;
  ObjectStore* const s3_;
};

}  // namespace

std::unique_ptr<ObjectStore> make_store_by_scheme(ObjectStore& folders, ObjectStore* s3) {
  return std::make_unique<StoreByScheme>(folders, s3);
}

}  // namespace headrace::objects
