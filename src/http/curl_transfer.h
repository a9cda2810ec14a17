#pragma once

// What both users of libcurl in this module do alike. Private to the module.

#include <memory>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "http/message.h"

namespace headrace::http {

void start_curl_once();

struct HeaderListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, HeaderListDeleter>;

HeaderList header_list(const Headers& headers);

// Takes in a line of an answer's head, as curl hands it over; a status line begins anew.
void add_header_line(Headers& headers, std::string_view line);

void set_method(CURL* curl, const std::string& method, std::string_view body);

// scheme://host:port of a URL.
std::string host_of(const std::string& url);
// Loopback, or link-local as the metadata services of clouds are: never behind a proxy.
bool is_near(const std::string& url);

}  // namespace headrace::http
