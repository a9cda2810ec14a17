#include "objects/testing/faulty_connections.h"

#include "base/error.h"

namespace headrace::objects {
namespace {

http::Response refusal(int status, std::string_view code) {
  return http::text_response(status, format("<Error><Code>{}</Code></Error>", code),
                             "application/xml");
}

}  // namespace

http::Response FaultyConnections::perform(const http::Call& call, std::stop_token cancel) {
  if (random_.below(100) >= static_cast<uint64_t>(fault_percent_)) {
    return inner_.perform(call, std::move(cancel));
  }
  ++faults_;
  const uint64_t kind = random_.below(6);
  if (kind == 0) return refusal(500, "InternalError");
  if (kind == 1) return refusal(503, "SlowDown");
  if (kind == 2) fail(ErrorKind::kUnavailable, "a fault: the connection was not made");
  http::Response response = inner_.perform(call, std::move(cancel));
  if (kind == 3) return refusal(500, "InternalError");
  if (kind == 4 && call.method == "GET" && response.status == 206) {
    response.body.resize(response.body.size() / 2);  // torn, and nobody noticed
    return response;
  }
  fail(kind == 5 ? ErrorKind::kTimeout : ErrorKind::kUnavailable, "a fault: the answer was lost");
}

}  // namespace headrace::objects
