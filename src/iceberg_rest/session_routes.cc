// What a client asks first: the configuration, and a token.

#include "http/access.h"
#include "iceberg_rest/rest_route.h"

namespace headrace::iceberg_rest {
namespace {

constexpr const char* kAccessToken = "urn:ietf:params:oauth:token-type:access_token";
constexpr const char* kTokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange";

// As RFC 6749, section 5.2, has it.
http::Response refused(int status, std::string_view error, std::string_view description) {
  return http::json_response(status,
                             JsonObject{{"error", error}, {"error_description", description}});
}

// Clients that have learnt OAuth alone get the server's token for the server's token.
http::Response grant(const http::Request& request, const std::string& token) {
  const http::Request form = http::make_request("POST", "/?" + request.body);
  const std::string_view type = form.query_parameter("grant_type").value_or("");
  const bool is_exchange = type == kTokenExchange;
  if (type != "client_credentials" && !is_exchange) {
    return refused(400, "unsupported_grant_type", "use the grant type client_credentials");
  }
  const std::string_view secret =
      form.query_parameter(is_exchange ? "subject_token" : "client_secret").value_or("");
  if (!token.empty() && !http::constant_time_equal(secret, token)) {
    return refused(401, "invalid_client", "the client secret is not the server's token");
  }
  // A server without a token asks for none, but the client wants to have one.
  return http::json_response(200, JsonObject{{"access_token", token.empty() ? "none" : token},
                                             {"token_type", "bearer"},
                                             {"issued_token_type", kAccessToken}});
}

}  // namespace

void add_session_routes(RestRoutes& routes, const std::string& token) {
  routes.add({.method = "GET",
              .path = "/v1/config",
              .operation = "icebergConfig",
              .summary = "Iceberg REST: settings for clients, and the endpoints there are",
              .is_endpoint = false},
             [endpoints = routes.endpoints()](const http::Request&) {
               return http::json_response(200, JsonObject{{"defaults", JsonObject()},
                                                          {"overrides", JsonObject()},
                                                          {"endpoints", *endpoints}});
             });
  routes.add({.method = "POST",
              .path = "/v1/oauth/tokens",
              .operation = "icebergToken",
              .summary = "Iceberg REST: the server's token, for clients that know OAuth alone",
              .is_endpoint = false},
             [token](const http::Request& request) { return grant(request, token); });
}

}  // namespace headrace::iceberg_rest
