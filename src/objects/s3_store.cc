#include "objects/s3_store.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <map>

#include "base/error.h"
#include "objects/s3_client.h"
#include "objects/s3_upload.h"
#include "objects/sigv4.h"

namespace headrace::objects {
namespace {

constexpr size_t kMaxDeletedAtOnce = 1000;
constexpr uint64_t kMaxObjectBytes = uint64_t{1} << 32;  // held in memory by get()
constexpr uint64_t kErrorBytes = 64 * 1024;  // room for an error where a few bytes were wanted
// Each write is signed with this, so that a retry knows its own object.

uint64_t number_in(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// "Wed, 12 Oct 2009 17:50:00 GMT"
int64_t micros_from_http_date(std::string_view text) {
  std::tm time{};
  if (::strptime(std::string(text).c_str(), "%a, %d %b %Y %H:%M:%S", &time) == nullptr) return 0;
  return static_cast<int64_t>(::timegm(&time)) * 1'000'000;
}

ObjectInfo info_of(const std::string& uri, const http::Response& response, uint64_t size) {
  return {uri, size, std::string(response.headers.get_or("ETag", "")),
          micros_from_http_date(response.headers.get_or("Last-Modified", ""))};
}

// "bytes 0-9/100": the size of the whole; of an answer with all of it, that of its body.
uint64_t whole_size(const http::Response& response) {
  const std::string_view range = response.headers.get_or("Content-Range", "");
  const size_t slash = range.find('/');
  return slash == std::string_view::npos ? response.body.size()
                                         : number_in(range.substr(slash + 1));
}

class S3ObjectStore final : public S3Store {
 public:
  S3ObjectStore(const S3Collaborators& collaborators, const S3Options& options)
      : client_(collaborators, options) {}

  const S3Access& access() const override { return client_.access(); }
  Credentials credentials() override { return client_.credentials(); }

  void check_bucket(const std::string& uri) override {
    client_.send_or_throw(
        {.doing = "listing",
         .at = {parse_s3(uri).bucket, ""},
         .query = {{"list-type", "2"}, {"max-keys", "1"}, {"prefix", parse_s3(uri).key}}});
  }

  ObjectInfo put(const std::string& uri, std::string_view bytes) override {
    return write(uri, bytes, {}, {});
  }
  ObjectInfo put_if_absent(const std::string& uri, std::string_view bytes) override {
    return write(uri, bytes, "If-None-Match", "*");
  }
  ObjectInfo put_if_match(const std::string& uri, std::string_view bytes,
                          const std::string& etag) override {
    return write(uri, bytes, "If-Match", etag);
  }

  ObjectInfo upload(const std::string& path, const std::string& uri) override {
    const auto source = client_.collaborators().files.map(path);
    const std::string_view bytes = source->bytes();
    if (bytes.size() <= client_.options().part_bytes) return put(uri, bytes);
    ObjectInfo info{uri, bytes.size(), upload_in_parts(client_, parse_s3(uri), bytes)};
    return info;
  }

  std::string get(const std::string& uri) override {
    return client_
        .send_or_throw({.doing = "reading",
                        .at = parse_s3(uri),
                        .may_hedge = true,
                        .max_answer_bytes = kMaxObjectBytes})
        .response.body;
  }

  ObjectPart get_range(const std::string& uri, uint64_t offset, uint64_t size,
                       const std::string& etag) override {
    if (size == 0) return {{}, head(uri)};
    S3Request request{.doing = "reading",
                      .at = parse_s3(uri),
                      .may_hedge = true,
                      .max_answer_bytes = size + kErrorBytes};
    request.headers.set("Range", format("bytes={}-{}", offset, offset + size - 1));
    if (!etag.empty()) request.headers.set("If-Match", etag);
    S3Answer answer = client_.send(request);
    if (answer.response.status == 416) return {{}, head(uri)};  // it begins behind the end
    if (answer.response.status >= 300) client_.fail_with(answer, request);
    return part(uri, offset, size, std::move(answer.response));
  }

  ObjectPart get_end(const std::string& uri, uint64_t size) override {
    S3Request request{.doing = "reading",
                      .at = parse_s3(uri),
                      .may_hedge = true,
                      .max_answer_bytes = size + kErrorBytes};
    request.headers.set("Range", format("bytes=-{}", size));
    S3Answer answer = client_.send(request);
    if (answer.response.status == 416) return {{}, head(uri)};  // it is empty
    if (answer.response.status >= 300) client_.fail_with(answer, request);
    const uint64_t all = whole_size(answer.response);
    return {std::move(answer.response.body), info_of(uri, answer.response, all)};
  }

  ObjectInfo head(const std::string& uri) override {
    const http::Response response =
        client_.send_or_throw({.doing = "looking for", .method = "HEAD", .at = parse_s3(uri)})
            .response;
    return info_of(uri, response, number_in(response.headers.get_or("Content-Length", "0")));
  }

  void list(const std::string& folder, const OnObject& each) override {
    const S3Location below = below_folder(folder);
    std::string token;
    do {
      S3Request request{.doing = "listing",
                        .at = {below.bucket, ""},
                        .query = {{"list-type", "2"}, {"prefix", below.key}}};
      if (!token.empty()) request.query.emplace_back("continuation-token", token);
      ListedPage page = parse_listing(client_.send_or_throw(request).response.body);
      for (ObjectInfo& object : page.objects) {
        object.uri = S3Location{below.bucket, object.uri}.to_uri();
        each(object);
      }
      token = page.next_token;
    } while (!token.empty());
  }

  bool is_empty(const std::string& folder) override {
    const S3Location below = below_folder(folder);
    const S3Request request{
        .doing = "listing",
        .at = {below.bucket, ""},
        .query = {{"list-type", "2"}, {"max-keys", "1"}, {"prefix", below.key}}};
    return parse_listing(client_.send_or_throw(request).response.body).objects.empty();
  }

  void remove(const std::vector<std::string>& uris) override {
    std::map<std::string, std::vector<std::string>> by_bucket;
    for (const std::string& uri : uris) {
      const S3Location at = parse_s3(uri);
      by_bucket[at.bucket].push_back(at.key);
    }
    for (const auto& [bucket, keys] : by_bucket) {
      for (size_t begin = 0; begin < keys.size(); begin += kMaxDeletedAtOnce) {
        const size_t end = std::min(begin + kMaxDeletedAtOnce, keys.size());
        remove_some(bucket, {keys.begin() + static_cast<std::ptrdiff_t>(begin),
                             keys.begin() + static_cast<std::ptrdiff_t>(end)});
      }
    }
  }

  void remove_folder(const std::string& folder) override {
    std::vector<std::string> found;
    list(folder, [&](const ObjectInfo& object) { found.push_back(object.uri); });
    remove(found);
  }

  int64_t remove_abandoned_uploads(const std::string& folder, Timestamp before) override {
    const S3Location below = below_folder(folder);
    return objects::remove_abandoned_uploads(client_, below.bucket, below.key, before);
  }

  void make_folder(const std::string&) override {}

 private:
  static S3Location below_folder(const std::string& folder) {
    S3Location at = parse_s3(normalized(folder));
    if (!at.key.empty()) at.key += '/';
    return at;
  }

  ObjectPart part(const std::string& uri, uint64_t offset, uint64_t size, http::Response response) {
    const uint64_t all = whole_size(response);
    const bool is_whole = response.status == 200;  // servers may not know of ranges
    if (is_whole) {
      response.body = offset < all ? response.body.substr(offset, size) : "";
    }
    const uint64_t wanted = std::min(size, all > offset ? all - offset : 0);
    if (response.body.size() != wanted) {
      fail(ErrorKind::kUnavailable, "reading {}: {} bytes came of {}", uri, response.body.size(),
           wanted);
    }
    ObjectInfo info = info_of(uri, response, all);
    return {std::move(response.body), std::move(info)};
  }

  ObjectInfo write(const std::string& uri, std::string_view bytes, const char* condition,
                   const std::string& value) {
    S3Request request{.doing = "writing", .method = "PUT", .at = parse_s3(uri), .body = bytes};
    const std::string mark = make_uuid(client_.collaborators().random);
    request.headers.set(kWriteMarkHeader, mark);
    if (condition != nullptr) request.headers.set(condition, value);
    S3Answer answer = client_.send(request);
    if (answer.response.status == 412 || (answer.response.status == 409 && condition != nullptr)) {
      if (answer.may_have_happened) {
        if (const auto own = own_object(uri, mark)) return *own;
      }
      if (value == "*") {
        fail(ErrorKind::kAlreadyExists, "writing {}: there is an object already", uri);
      }
      fail(ErrorKind::kConflict, "writing {}: it is not what it was any more", uri);
    }
    if (answer.response.status >= 300) client_.fail_with(answer, request);
    return info_of(uri, answer.response, bytes.size());
  }

  // The object, when it was this write that made it.
  std::optional<ObjectInfo> own_object(const std::string& uri, const std::string& mark) {
    S3Request request{.doing = "looking for", .method = "HEAD", .at = parse_s3(uri)};
    const S3Answer answer = client_.send(request);
    if (answer.response.status == 404) return std::nullopt;
    if (answer.response.status >= 300) client_.fail_with(answer, request);
    if (answer.response.headers.get_or(kWriteMarkHeader, "") != mark) return std::nullopt;
    return info_of(uri, answer.response,
                   number_in(answer.response.headers.get_or("Content-Length", "0")));
  }

  void remove_some(const std::string& bucket, const std::vector<std::string>& keys) {
    if (keys.size() == 1) {
      S3Request request{.doing = "removing", .method = "DELETE", .at = {bucket, keys.front()}};
      const S3Answer answer = client_.send(request);
      if (answer.response.status >= 300 && answer.response.status != 404) {
        client_.fail_with(answer, request);
      }
      return;
    }
    const std::string body = deletion_xml(keys);
    S3Request request{.doing = "removing objects of",
                      .method = "POST",
                      .at = {bucket, ""},
                      .query = {{"delete", ""}},
                      .body = body};
    request.headers.set("Content-MD5", md5_base64(body));
    request.headers.set("Content-Type", "application/xml");
    const auto failed = parse_deletion(client_.send_or_throw(request).response.body);
    if (failed.empty()) return;
    const NotDeleted& first = failed.front();
    fail(first.code == "AccessDenied" ? ErrorKind::kDenied : ErrorKind::kUnavailable,
         "removing {} objects of s3://{}: {} stay, the first of them {}: {} {}", keys.size(),
         bucket, failed.size(), first.key, first.code, first.message);
  }

  S3Client client_;
};

}  // namespace

std::unique_ptr<S3Store> make_s3_store(const S3Collaborators& collaborators,
                                       const S3Options& options) {
  return std::make_unique<S3ObjectStore>(collaborators, options);
}

}  // namespace headrace::objects
