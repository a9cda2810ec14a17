#pragma once

// The HTTP API as commands use it: JSON in, JSON out, errors as Error. Same interface with a
// running server and with the project's state read in place.
//
// Thread use: one thread. Errors: those the server answers with, unavailable when it is not
// reached.

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/json.h"
#include "cli/host.h"
#include "http/message.h"

namespace headrace::cli {

class Service {
 public:
  explicit Service(Connection connection) : connection_(std::move(connection)) {}

  Json get(const std::string& target);
  Json post(const std::string& target, const Json& body);
  Json patch(const std::string& target, const Json& body);
  Json remove(const std::string& target);
  // As it is answered, whatever the status.
  http::Response send(http::Request request);
  // The body of a successful answer goes to on_data; an error status throws.
  http::Response stream(http::Request request, const std::function<bool(std::string_view)>& on_data,
                        std::stop_token cancel = {});

  bool is_running() const { return connection_.running; }
  const std::string& address() const { return connection_.address; }
  // Throws unavailable with `doing` when no server runs: what writes needs one.
  void require_running(std::string_view doing) const;

 private:
  Json call(std::string_view method, const std::string& target, const Json* body);

  Connection connection_;
};

// One path segment or query value, percent-encoded (RFC 3986).
std::string encoded(std::string_view text);
// The array that a listing holds: the document itself, or its member of that name.
JsonArray items_of(const Json& document, std::string_view name);

}  // namespace headrace::cli
