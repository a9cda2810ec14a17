#include "iceberg_rest/identifiers.h"

#include <algorithm>

#include "iceberg_rest/rest_error.h"

namespace headrace::iceberg_rest {
namespace {

constexpr int64_t kPageSize = 1000;

}  // namespace

lake::TableIdentifier table_in_path(const http::Request& request, const char* parameter) {
  return {request.path_parameter("namespace"), request.path_parameter(parameter)};
}

std::string namespace_from_json(const Json& json) {
  const JsonArray* levels = json.if_array();
  if (levels == nullptr || levels->empty() ||
      !std::all_of(levels->begin(), levels->end(), [](const Json& l) { return l.is_string(); })) {
    fail(ErrorKind::kInvalid, "\"namespace\" is not a list of texts");
  }
  if (levels->size() > 1) fail_no_namespace(to_text(json));
  return std::string(levels->front().get_string());
}

lake::TableIdentifier identifier_from_json(const Json& json) {
  return {namespace_from_json(member(json, "namespace")), string_member(json, "name")};
}

Json namespace_json(const std::string& name) { return JsonArray{Json(name)}; }

Json identifier_json(const lake::TableIdentifier& identifier) {
  return JsonObject{{"namespace", namespace_json(identifier.database)}, {"name", identifier.name}};
}

bool flag(const http::Request& request, const char* name) {
  const auto value = request.query_parameter(name);
  return value && equal_ignoring_case(*value, "true");
}

Page page_of(std::vector<std::string> names, const http::Request& request) {
  std::sort(names.begin(), names.end());
  const auto token = request.query_parameter("pageToken");
  const auto size =
      static_cast<size_t>(request.integer_parameter("pageSize", kPageSize, 1, 100 * kPageSize));
  if (!token && !request.query_parameter("pageSize")) return {std::move(names), nullptr};
  // The token is the last name of the page before, which may be gone by now.
  const auto begin = token ? std::upper_bound(names.begin(), names.end(), *token) : names.begin();
  const auto left = static_cast<size_t>(names.end() - begin);
  const auto end = begin + static_cast<std::ptrdiff_t>(std::min(size, left));
  Page page{{begin, end}, nullptr};
  if (end != names.end()) page.next_token = page.names.back();
  return page;
}

http::Response listing(const std::vector<lake::TableIdentifier>& identifiers,
                       const http::Request& request) {
  std::vector<std::string> names;
  for (const lake::TableIdentifier& identifier : identifiers) names.push_back(identifier.name);
  Page page = page_of(std::move(names), request);
  JsonArray listed;
  for (const std::string& name : page.names) {
    listed.push_back(identifier_json({identifiers.front().database, name}));
  }
  return http::json_response(200, JsonObject{{"identifiers", std::move(listed)},
                                             {"next-page-token", std::move(page.next_token)}});
}

}  // namespace headrace::iceberg_rest
