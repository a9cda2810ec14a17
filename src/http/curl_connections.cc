#include <mutex>
#include <optional>
#include <vector>

#include <curl/curl.h>

#include "http/connections.h"
#include "http/curl_transfer.h"

namespace headrace::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kLongestPollMs = 1000;

// One request under way.
class Transfer {
 public:
  Transfer() : curl_(curl_easy_init()) {
    if (curl_ == nullptr) fail(ErrorKind::kInternal, "libcurl could not be started");
  }
  ~Transfer() { curl_easy_cleanup(curl_); }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* handle() const { return curl_; }

  void prepare(const Call& call, const ConnectionOptions& options) {
    response_ = {};
    max_bytes_ = call.max_answer_bytes;
    is_too_long_ = false;
    ca_file_ = options.ca_file;
    curl_easy_reset(curl_);
    set_limits(call, options);
    headers_ = header_list(call.headers);
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers_.get());
    curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl_, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl_, CURLOPT_WRITEDATA, this);
    set_method(curl_, call.method, call.body);
  }

  Response take_response() {
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    return std::move(response_);
  }

  [[noreturn]] void explain(CURLcode code, const std::string& url) const {
    const std::string host = host_of(url);
    if (is_too_long_) {
      fail(ErrorKind::kUnavailable, "{} answers with more than the {} bytes asked for", host,
           max_bytes_);
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
      fail(ErrorKind::kTimeout, "{} did not answer in time", host);
    }
    if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT) {
      fail(ErrorKind::kUnavailable, "cannot reach {}: {}", host, curl_easy_strerror(code));
    }
    if (code == CURLE_PEER_FAILED_VERIFICATION) {
      fail(ErrorKind::kDenied,
           "the certificate of {} is not trusted: it is for another host, has expired, or "
           "its authority is none of {}",
           host, ca_file_.empty() ? "the system's" : "those in " + ca_file_);
    }
    if (code == CURLE_SSL_CACERT_BADFILE) {
      fail(ErrorKind::kInvalid, "there are no certificates of authorities to be read in {}",
           ca_file_);
    }
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
      fail(ErrorKind::kInvalid, "{} is not an address that begins with http:// or https://", url);
    }
    fail(ErrorKind::kUnavailable, "the connection to {} broke off: {}", host,
         curl_easy_strerror(code));
  }

 private:
  void set_limits(const Call& call, const ConnectionOptions& options) {
    curl_easy_setopt(curl_, CURLOPT_URL, call.url.c_str());
    curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
    // What is signed must be sent as it is, and a second request must have a connection of its own.
    curl_easy_setopt(curl_, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(curl_, CURLOPT_BUFFERSIZE, 256L * 1024);
    curl_easy_setopt(curl_, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
    if (is_near(call.url)) curl_easy_setopt(curl_, CURLOPT_PROXY, "");
    if (!options.ca_file.empty()) {
      curl_easy_setopt(curl_, CURLOPT_CAINFO, options.ca_file.c_str());
    }
    curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(options.connect_timeout.count()));
    curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(call.timeout.count()));
    curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_TIME,
                     static_cast<long>(options.stall_timeout.count()));
  }

  static size_t on_header(char* text, size_t, size_t size, void* transfer) {
    add_header_line(static_cast<Transfer*>(transfer)->response_.headers, {text, size});
    return size;
  }

  static size_t on_body(char* text, size_t, size_t size, void* transfer_pointer) {
    auto& transfer = *static_cast<Transfer*>(transfer_pointer);
    if (transfer.response_.body.size() + size > transfer.max_bytes_) {
      transfer.is_too_long_ = true;
      return CURL_WRITEFUNC_ERROR;
    }
    transfer.response_.body.append(text, size);
    return size;
  }

  CURL* curl_;
  HeaderList headers_;
  Response response_;
  uint64_t max_bytes_ = 0;
  bool is_too_long_ = false;
  std::string ca_file_;
};

// What one caller at a time uses: its connections, and room for a request and its repetition.
class Lane {
 public:
  Lane() : multi_(curl_multi_init()) {
    if (multi_ == nullptr) fail(ErrorKind::kInternal, "libcurl could not be started");
  }
  ~Lane() { curl_multi_cleanup(multi_); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  Connections::Hedged run(const Call& call, const ConnectionOptions& options,
                          std::optional<milliseconds> hedge_after, std::stop_token cancel) {
    const std::stop_callback wake(cancel, [this] { curl_multi_wakeup(multi_); });
    const auto began = steady_clock::now();
    Connections::Hedged result;
    Attempt first(multi_, first_, call, options);
    std::optional<Attempt> second;
    for (;;) {
      int running = 0;
      curl_multi_perform(multi_, &running);
      while (const CURLMsg* message = curl_multi_info_read(multi_, &running)) {
        if (message->msg != CURLMSG_DONE) continue;
        const bool is_first = message->easy_handle == first_.handle();
        Transfer& done = is_first ? first_ : second_;
        const CURLcode code = message->data.result;
        Attempt& attempt = is_first ? first : *second;
        attempt.end();
        if (code == CURLE_OK) {
          result.response = done.take_response();
          return result;
        }
        // The other one may still come through.
        const bool other_runs =
            second && (is_first ? second->is_under_way() : first.is_under_way());
        if (!other_runs) done.explain(code, call.url);
      }
      if (cancel.stop_requested()) fail(ErrorKind::kCancelled, "the request was cancelled");
      const auto elapsed = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
      if (hedge_after && !second && elapsed >= *hedge_after) {
        second.emplace(multi_, second_, call, options);
        result.was_hedged = true;
        continue;
      }
      const int wait = hedge_after && !second ? static_cast<int>((*hedge_after - elapsed).count())
                                              : kLongestPollMs;
      curl_multi_poll(multi_, nullptr, 0, std::min(wait, kLongestPollMs), nullptr);
    }
  }

 private:
  // A transfer while it is among those of the lane; taking it out before its end closes its
  // connection.
  class Attempt {
   public:
    Attempt(CURLM* multi, Transfer& transfer, const Call& call, const ConnectionOptions& options)
        : multi_(multi), transfer_(transfer) {
      transfer_.prepare(call, options);
      curl_multi_add_handle(multi_, transfer_.handle());
    }
    ~Attempt() { end(); }
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;

    bool is_under_way() const { return is_under_way_; }
    void end() {
      if (is_under_way_) curl_multi_remove_handle(multi_, transfer_.handle());
      is_under_way_ = false;
    }

   private:
    CURLM* multi_;
    Transfer& transfer_;
    bool is_under_way_ = true;
  };

  CURLM* multi_;
  Transfer first_;
  Transfer second_;
};

class CurlConnections final : public Connections {
 public:
  explicit CurlConnections(const ConnectionOptions& options) : options_(options) {
    start_curl_once();
  }

  Response perform(const Call& call, std::stop_token cancel) override {
    return run(call, std::nullopt, std::move(cancel)).response;
  }

  Hedged perform_hedged(const Call& call, milliseconds hedge_after,
                        std::stop_token cancel) override {
    return run(call, hedge_after, std::move(cancel));
  }

 private:
  Hedged run(const Call& call, std::optional<milliseconds> hedge_after, std::stop_token cancel) {
    std::unique_ptr<Lane> lane = take();
    Hedged result = lane->run(call, options_, hedge_after, std::move(cancel));
    give_back(std::move(lane));  // one that failed is not kept
    return result;
  }

  std::unique_ptr<Lane> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        std::unique_ptr<Lane> lane = std::move(free_.back());
        free_.pop_back();
        return lane;
      }
    }
    return std::make_unique<Lane>();
  }

  void give_back(std::unique_ptr<Lane> lane) {
    const std::lock_guard lock(mutex_);
    if (free_.size() < options_.kept_lanes) free_.push_back(std::move(lane));
  }

  const ConnectionOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Lane>> free_;
};

}  // namespace

std::unique_ptr<Connections> make_connections(const ConnectionOptions& options) {
  return std::make_unique<CurlConnections>(options);
}

}  // namespace headrace::http
