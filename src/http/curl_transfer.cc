#include "http/curl_transfer.h"

#include <array>
#include <mutex>

namespace headrace::http {

void start_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

HeaderList header_list(const Headers& headers) {
  HeaderList list;
  const auto append = [&](const std::string& line) {
    list.reset(curl_slist_append(list.release(), line.c_str()));
  };
  for (const auto& [name, value] : headers) {
    std::string line = name;
    line += value.empty() ? ";" : ": ";
    line += value;
    append(line);
  }
  append("Expect:");  // no round trip before a body
  return list;
}

void add_header_line(Headers& headers, std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    headers = {};  // of 100 Continue, if there was one
    return;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string_view value = line.substr(colon + 1);
  while (value.starts_with(' ')) value.remove_prefix(1);
  headers.add(line.substr(0, colon), value);
}

void set_method(CURL* curl, const std::string& method, std::string_view body) {
  if (method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    return;
  }
  if (!body.empty() || method == "POST" || method == "PUT") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data() == nullptr ? "" : body.data());
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
}

std::string host_of(const std::string& url) {
  const size_t scheme = url.find("://");
  return url.substr(0, url.find_first_of("/?", scheme == std::string::npos ? 0 : scheme + 3));
}

bool is_near(const std::string& url) {
  const std::string host = host_of(url);
  const size_t scheme = host.find("://");
  if (scheme == std::string::npos) return false;
  const std::string_view name = std::string_view(host).substr(scheme + 3);
  if (name.substr(0, name.find(':')).ends_with(".localhost")) return true;  // RFC 6761
  constexpr std::array<std::string_view, 5> kNear = {"127.", "localhost", "[::1]", "169.254.",
                                                     "[fd00:ec2:"};
  for (const std::string_view near : kNear) {
    if (name.starts_with(near)) return true;
  }
  return false;
}

}  // namespace headrace::http
