#include <cerrno>
#include <utility>

#include <curl/curl.h>

#include "http/client.h"
#include "http/curl_transfer.h"

namespace headrace::http {
namespace {

constexpr size_t kMaxErrorBodyBytes = 1024 * 1024;

// One request under way, as curl's callbacks see it.
struct Exchange {
  Response response;
  const Client::OnData& on_data;
  std::stop_token cancel;
  std::exception_ptr error = nullptr;  // thrown by on_data
  bool refused = false;                // on_data said no
  CURL* curl = nullptr;
};

size_t on_header(char* text, size_t, size_t size, void* exchange_pointer) {
  auto& exchange = *static_cast<Exchange*>(exchange_pointer);
  add_header_line(exchange.response.headers, {text, size});
  return size;
}

size_t on_body(char* text, size_t, size_t size, void* exchange_pointer) {
  auto& exchange = *static_cast<Exchange*>(exchange_pointer);
  long status = 0;
  curl_easy_getinfo(exchange.curl, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 400) {
    if (exchange.response.body.size() < kMaxErrorBodyBytes) {
      exchange.response.body.append(text, size);
    }
    return size;
  }
  try {
    if (exchange.on_data(std::string_view(text, size))) return size;
    exchange.refused = true;
  } catch (...) {
    exchange.error = std::current_exception();
  }
  return CURL_WRITEFUNC_ERROR;
}

int on_progress(void* exchange_pointer, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Exchange*>(exchange_pointer)->cancel.stop_requested() ? 1 : 0;
}

class CurlClient final : public Client {
 public:
  CurlClient(std::string base_url, std::string token, const ClientOptions& options)
      : base_url_(std::move(base_url)), token_(std::move(token)), options_(options) {
    start_curl_once();
    while (base_url_.ends_with('/')) base_url_.pop_back();
    if (!base_url_.starts_with("http://") && !base_url_.starts_with("https://")) {
      fail(ErrorKind::kInvalid, "the server's address '{}' must begin with http:// or https://",
           base_url_);
    }
    curl_ = curl_easy_init();
    if (curl_ == nullptr) fail(ErrorKind::kInternal, "libcurl could not be started");
  }
  ~CurlClient() override { curl_easy_cleanup(curl_); }
  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  Response stream(Request request, const OnData& on_data, std::stop_token cancel) override {
    Exchange exchange{.response = {}, .on_data = on_data, .cancel = std::move(cancel)};
    exchange.curl = curl_;
    if (!token_.empty()) request.headers.add("Authorization", "Bearer " + token_);
    const HeaderList headers = header_list(request.headers);
    prepare(request, headers.get(), exchange);
    const CURLcode code = curl_easy_perform(curl_);
    if (exchange.error != nullptr) std::rethrow_exception(exchange.error);
    if (code != CURLE_OK) explain(code, exchange);
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    exchange.response.status = static_cast<int>(status);
    return std::move(exchange.response);
  }

 private:
  void prepare(const Request& request, curl_slist* headers, Exchange& exchange) {
    curl_easy_reset(curl_);  // keeps the connections
    curl_easy_setopt(curl_, CURLOPT_URL, (base_url_ + request.target).c_str());
    curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl_, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
    curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(options_.connect_timeout.count()));
    curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, &exchange);
    set_method(curl_, request.method, request.body);
  }

  [[noreturn]] void explain(CURLcode code, const Exchange& exchange) const {
    if (exchange.refused || code == CURLE_ABORTED_BY_CALLBACK) {
      fail(ErrorKind::kCancelled, "the request was cancelled");
    }
    if (code == CURLE_COULDNT_CONNECT) {
      long system_error = 0;
      curl_easy_getinfo(curl_, CURLINFO_OS_ERRNO, &system_error);
      fail(ErrorKind::kUnavailable,
           "cannot reach the headrace server at {}: {}; start it with 'headrace serve'", base_url_,
           system_error == ECONNREFUSED ? "connection refused" : curl_easy_strerror(code));
    }
    if (code == CURLE_COULDNT_RESOLVE_HOST) {
      fail(ErrorKind::kUnavailable, "cannot reach the headrace server at {}: its name is not known",
           base_url_);
    }
    if (code == CURLE_OPERATION_TIMEDOUT) {
      fail(ErrorKind::kTimeout, "the headrace server at {} did not answer in time", base_url_);
    }
    fail(ErrorKind::kUnavailable, "the connection to the headrace server at {} broke off: {}",
         base_url_, curl_easy_strerror(code));
  }

  std::string base_url_;
  const std::string token_;
  const ClientOptions options_;
  CURL* curl_ = nullptr;
};

}  // namespace

std::unique_ptr<Client> make_http_client(const std::string& base_url, const std::string& token,
                                         const ClientOptions& options) {
  return std::make_unique<CurlClient>(base_url, token, options);
}

}  // namespace headrace::http
