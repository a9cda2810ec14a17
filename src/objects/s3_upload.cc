#include "objects/s3_upload.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "telemetry/log.h"

namespace headrace::objects {
namespace {

constexpr uint64_t kMaxParts = 10'000;

class Upload {
 public:
  Upload(S3Client& client, const S3Location& at, std::string_view bytes)
      : client_(client), at_(at), bytes_(bytes), mark_(make_uuid(client.collaborators().random)) {
    part_bytes_ = std::max(client.options().part_bytes, (bytes.size() + kMaxParts - 1) / kMaxParts);
    etags_.resize((bytes.size() + part_bytes_ - 1) / part_bytes_);
  }

  std::string run() {
    begin();
    try {
      send_parts();
      return complete();
    } catch (...) {
      abort();
      throw;
    }
  }

 private:
  void begin() {
    S3Request request{
        .doing = "uploading", .method = "POST", .at = at_, .query = {{"uploads", ""}}};
    request.headers.set(kWriteMarkHeader, mark_);
    id_ = parse_upload_id(client_.send_or_throw(request).response.body);
  }

  void send_parts() {
    const size_t threads = std::min<size_t>(
        static_cast<size_t>(std::max(client_.options().part_threads, 1)), etags_.size());
    std::vector<std::jthread> others;
    for (size_t i = 1; i < threads; ++i) others.emplace_back([this] { send_some_parts(); });
    send_some_parts();
    others.clear();
    if (error_ != nullptr) std::rethrow_exception(error_);
  }

  void send_some_parts() {
    try {
      for (size_t part = next_++; part < etags_.size() && !failed_; part = next_++) {
        send_part(part);
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (error_ == nullptr) error_ = std::current_exception();
      failed_ = true;
    }
  }

  void send_part(size_t part) {
    const S3Answer answer =
        client_.send_or_throw({.doing = "uploading",
                               .method = "PUT",
                               .at = at_,
                               .query = {{"partNumber", format("{}", part + 1)}, {"uploadId", id_}},
                               .body = bytes_.substr(part * part_bytes_, part_bytes_)});
    etags_[part] = answer.response.headers.get_or("ETag", "");
    if (etags_[part].empty()) {
      fail(ErrorKind::kUnavailable, "uploading {}: part {} was answered without an ETag",
           at_.to_uri(), part + 1);
    }
  }

  std::string complete() {
    const std::string body = completion_xml(etags_);
    S3Request request{.doing = "completing the upload of",
                      .method = "POST",
                      .at = at_,
                      .query = {{"uploadId", id_}},
                      .body = body};
    request.headers.set("Content-Type", "application/xml");
    for (int attempt = 1;; ++attempt) {
      S3Answer answer = client_.send(request);
      if (answer.response.status >= 300) {
        // The upload is gone once it is completed; an answer that was lost is made up for here.
        if (answer.response.status == 404) {
          if (const std::string etag = own_object(); !etag.empty()) return etag;
        }
        client_.fail_with(answer, request);
      }
      // An error may come under the status 200, as completing takes long.
      answer.complaint = parse_complaint(answer.response.body);
      if (answer.complaint.code.empty()) return parse_completed(answer.response.body);
      if (attempt >= client_.options().max_attempts) {
        answer.response.status = 500;
        client_.fail_with(answer, request);
      }
    }
  }

  std::string own_object() {
    const S3Answer found = client_.send({.doing = "looking for", .method = "HEAD", .at = at_});
    if (found.response.status >= 300) return {};
    if (found.response.headers.get_or(kWriteMarkHeader, "") != mark_) return {};
    return std::string(found.response.headers.get_or("ETag", ""));
  }

  void abort() noexcept {
    try {
      client_.send({.doing = "aborting the upload of",
                    .method = "DELETE",
                    .at = at_,
                    .query = {{"uploadId", id_}}});
    } catch (const std::exception& error) {
      telemetry::log_warning("objects", "parts of a failed upload stay until orphans are removed",
                             {{"object", at_.to_uri()}, {"reason", error.what()}});
    }
  }

  S3Client& client_;
  const S3Location at_;
  const std::string_view bytes_;
  const std::string mark_;
  uint64_t part_bytes_;
  std::string id_;
  std::vector<std::string> etags_;  // each set by the thread that sends the part
  std::atomic<size_t> next_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;
  std::exception_ptr error_;
};

}  // namespace

std::string upload_in_parts(S3Client& client, const S3Location& at, std::string_view bytes) {
  return Upload(client, at, bytes).run();
}

int64_t remove_abandoned_uploads(S3Client& client, const std::string& bucket,
                                 const std::string& prefix, Timestamp before) {
  int64_t removed = 0;
  ListedUploads page;
  do {
    S3Request request{.doing = "listing uploads of",
                      .at = {bucket, ""},
                      .query = {{"uploads", ""}, {"prefix", prefix}}};
    if (page.is_truncated) {
      request.query.emplace_back("key-marker", page.next_key);
      request.query.emplace_back("upload-id-marker", page.next_upload_id);
    }
    page = parse_uploads(client.send_or_throw(request).response.body);
    for (const ListedUpload& upload : page.uploads) {
      if (upload.initiated >= before) continue;
      const S3Request abort{.doing = "aborting the upload of",
                            .method = "DELETE",
                            .at = {bucket, upload.key},
                            .query = {{"uploadId", upload.upload_id}}};
      const S3Answer answer = client.send(abort);
      if (answer.response.status >= 300 && answer.response.status != 404) {
        client.fail_with(answer, abort);
      }
      ++removed;
    }
  } while (page.is_truncated);
  return removed;
}

}  // namespace headrace::objects
