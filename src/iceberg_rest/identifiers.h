#pragma once

// Names in requests and answers. A namespace is a list of levels, in paths joined by %1F; headrace
// has one level, so what has more does not exist.

#include <string>
#include <vector>

#include "http/message.h"
#include "lake/table.h"

namespace headrace::iceberg_rest {

inline constexpr char kLevelSeparator = '\x1F';

// Of the path. Deeper ones come with their separators, which no namespace of ours has.
lake::TableIdentifier table_in_path(const http::Request& request, const char* parameter = "table");
// {"namespace": […], "name": …}; Error not_found for what is deeper than one level.
lake::TableIdentifier identifier_from_json(const Json& json);
// ["silver"]; invalid when it is no list of texts, not_found when it is deeper.
std::string namespace_from_json(const Json& json);

Json namespace_json(const std::string& name);
Json identifier_json(const lake::TableIdentifier& identifier);

// A flag in the query, in any case of letters ("False" of pyiceberg).
bool flag(const http::Request& request, const char* name);

// One page of a listing, in the order given: ?pageToken=…&pageSize=…. Without a token, all.
struct Page {
  std::vector<std::string> names;
  Json next_token;  // null: the last page
};
Page page_of(std::vector<std::string> names, const http::Request& request);
// The answer that lists a namespace's tables or views, page by page.
http::Response listing(const std::vector<lake::TableIdentifier>& identifiers,
                       const http::Request& request);

}  // namespace headrace::iceberg_rest
