#pragma once

// JSON values. The library's value type is used throughout under this name: a second wrapper around
// a JSON tree would cost more than it hides.

#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace headrace {

using Json = boost::json::value;
using JsonObject = boost::json::object;
using JsonArray = boost::json::array;

// Parses one JSON document; throws Error invalid with `what` and the position of the mistake.
Json parse_json(std::string_view text, std::string_view what);

std::string to_text(const Json& value);         // on one line
std::string to_pretty_text(const Json& value);  // two spaces of indentation, ends with a newline

// Members of an object; each throws Error invalid naming the missing or mistyped member.
const Json& member(const Json& object, std::string_view name);
const Json* find_member(const Json& object, std::string_view name);  // nullptr when absent or null
int64_t integer_member(const Json& object, std::string_view name);
std::string string_member(const Json& object, std::string_view name);
std::string string_member_or(const Json& object, std::string_view name, std::string_view otherwise);
int64_t integer_member_or(const Json& object, std::string_view name, int64_t otherwise);

}  // namespace headrace
