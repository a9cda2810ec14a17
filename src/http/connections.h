#pragma once

// Requests to any server, over connections that are kept, from any thread: for protocols that ask
// much and often, such as that of object stores. (Client, in client.h, speaks to one headrace.)
//
// An answer with an error status is no exception. Errors: unavailable (not reached, broken off, an
// answer shorter than it says or longer than allowed), timeout, cancelled, denied (a certificate
// that is not trusted). Every message says which host it is about.

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "http/message.h"

namespace headrace::http {

struct Call {
  std::string method = "GET";
  std::string url = {};
  Headers headers = {};
  std::string_view body = {};  // must outlive the call
  // A longer answer breaks the call off.
  uint64_t max_answer_bytes = uint64_t{1} << 32;
  std::chrono::milliseconds timeout{0};  // for the whole call; 0: none
};

struct ConnectionOptions {
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::seconds stall_timeout{20};  // no byte has moved for so long
  size_t kept_lanes = 32;                  // of callers that come back, each with its connections
  std::string ca_file = {};                // PEM, of authorities to trust in place of the system's
};

class Connections {
 public:
  virtual ~Connections() = default;

  virtual Response perform(const Call& call, std::stop_token cancel = {}) = 0;

  struct Hedged {
    Response response;
    bool was_hedged = false;  // a second request was sent
  };
  // The same; when no whole answer has come after `hedge_after`, the request is sent once more over
  // another connection, and the first whole answer counts. For requests that may be repeated.
  virtual Hedged perform_hedged(const Call& call, std::chrono::milliseconds hedge_after,
                                std::stop_token cancel = {}) = 0;
};

// Proxies are those of the environment, but for loopback and link-local addresses.
std::unique_ptr<Connections> make_connections(const ConnectionOptions& options = {});

}  // namespace headrace::http
