#include "objects/testing/faulty_store.h"

#include "base/error.h"

namespace headrace::objects {

template <class Act>
auto FaultyStore::run(std::string_view doing, const std::string& uri, const Act& act) {
  if (is_away_) fail(ErrorKind::kUnavailable, "{} {}: the store is away", doing, uri);
  if (is_healed_) return act();
  const bool is_next = ++operations_ == fail_at_;
  if (is_next && fault_ == Fault::kBefore) {
    fail(ErrorKind::kUnavailable, "{} {}: a fault", doing, uri);
  }
  if constexpr (std::is_void_v<decltype(act())>) {
    act();
    if (is_next) fail(ErrorKind::kUnavailable, "{} {}: the answer was lost", doing, uri);
  } else {
    auto result = act();
    if (is_next) fail(ErrorKind::kUnavailable, "{} {}: the answer was lost", doing, uri);
    return result;
  }
}

ObjectInfo FaultyStore::put(const std::string& uri, std::string_view bytes) {
  return run("writing", uri, [&] { return inner_.put(uri, bytes); });
}

ObjectInfo FaultyStore::put_if_absent(const std::string& uri, std::string_view bytes) {
  return run("writing", uri, [&] { return inner_.put_if_absent(uri, bytes); });
}

ObjectInfo FaultyStore::put_if_match(const std::string& uri, std::string_view bytes,
                                     const std::string& etag) {
  return run("writing", uri, [&] { return inner_.put_if_match(uri, bytes, etag); });
}

ObjectInfo FaultyStore::upload(const std::string& path, const std::string& uri) {
  return run("uploading", uri, [&] { return inner_.upload(path, uri); });
}

std::string FaultyStore::get(const std::string& uri) {
  return run("reading", uri, [&] { return inner_.get(uri); });
}

ObjectPart FaultyStore::get_range(const std::string& uri, uint64_t offset, uint64_t size,
                                  const std::string& etag) {
  return run("reading", uri, [&] { return inner_.get_range(uri, offset, size, etag); });
}

ObjectPart FaultyStore::get_end(const std::string& uri, uint64_t size) {
  return run("reading", uri, [&] { return inner_.get_end(uri, size); });
}

ObjectInfo FaultyStore::head(const std::string& uri) {
  return run("looking for", uri, [&] { return inner_.head(uri); });
}

void FaultyStore::list(const std::string& folder, const OnObject& each) {
  run("listing", folder, [&] { inner_.list(folder, each); });
}

bool FaultyStore::is_empty(const std::string& folder) {
  return run("listing", folder, [&] { return inner_.is_empty(folder); });
}

void FaultyStore::remove(const std::vector<std::string>& uris) {
  run("removing", uris.empty() ? "nothing" : uris.front(), [&] { inner_.remove(uris); });
}

void FaultyStore::remove_folder(const std::string& folder) {
  run("removing", folder, [&] { inner_.remove_folder(folder); });
}

int64_t FaultyStore::remove_abandoned_uploads(const std::string& folder, Timestamp before) {
  return run("cleaning", folder, [&] { return inner_.remove_abandoned_uploads(folder, before); });
}

void FaultyStore::make_folder(const std::string& folder) {
  run("making", folder, [&] { inner_.make_folder(folder); });
}

}  // namespace headrace::objects
