#pragma once

// Objects: whole files under a URI, in a folder (file:///…) or in a bucket (s3://bucket/key).
// Written once or replaced whole, never changed in part. One interface for both, so that tables,
// and whatever else is kept, can lie in either.
//
// Every method is safe to call from any thread. What is written is durable when the method returns.
// Passing faults are retried inside, and a write whose outcome was not known is looked for before
// it is answered, so that no retry doubles or loses anything. Errors: not_found, already_exists,
// conflict, denied, invalid, unavailable (given up after retries), timeout, corrupt.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace headrace::objects {

struct ObjectInfo {
  std::string uri;
  uint64_t size_bytes = 0;
  // Another one for each content; empty where telling it would take reading all of an object.
  std::string etag;
  int64_t modified_micros = 0;
};

// Some bytes of an object, and what was told of the whole with them.
struct ObjectPart {
  std::string bytes;
  ObjectInfo object;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // Writes an object, whatever was there.
  virtual ObjectInfo put(const std::string& uri, std::string_view bytes) = 0;
  // already_exists when one is there.
  virtual ObjectInfo put_if_absent(const std::string& uri, std::string_view bytes) = 0;
  // conflict when what is there has another etag, not_found when nothing is.
  virtual ObjectInfo put_if_match(const std::string& uri, std::string_view bytes,
                                  const std::string& etag) = 0;
  // Copies a local file, in parts side by side when it is large. For names that nobody else uses.
  virtual ObjectInfo upload(const std::string& path, const std::string& uri) = 0;

  virtual std::string get(const std::string& uri) = 0;
  // Up to `size` bytes from `offset`; fewer only at the end. With an etag: conflict when the object
  // has become another one.
  virtual ObjectPart get_range(const std::string& uri, uint64_t offset, uint64_t size,
                               const std::string& etag = {}) = 0;
  // The last `size` bytes, or all when there are fewer.
  virtual ObjectPart get_end(const std::string& uri, uint64_t size) = 0;
  virtual ObjectInfo head(const std::string& uri) = 0;
  bool exists(const std::string& uri);

  // All objects below a folder (and the folders in it), in no order; none when there is no such
  // folder. `each` may throw to end it.
  using OnObject = std::function<void(const ObjectInfo&)>;
  virtual void list(const std::string& folder, const OnObject& each) = 0;
  virtual bool is_empty(const std::string& folder) = 0;

  // No error for those that are not there. All are tried; then the first failure is thrown.
  virtual void remove(const std::vector<std::string>& uris) = 0;
  void remove(const std::string& uri) { remove(std::vector{uri}); }
  // Whatever is below the folder.
  virtual void remove_folder(const std::string& folder) = 0;
  // Parts of uploads that were begun before `before` and never ended; they take room, but are
  // nothing that could be read. Returns how many uploads went.
  virtual int64_t remove_abandoned_uploads(const std::string& folder, Timestamp before) = 0;

  // Makes what a writer of local files needs there; nothing where folders are only names.
  virtual void make_folder(const std::string& folder) = 0;
};

}  // namespace headrace::objects
