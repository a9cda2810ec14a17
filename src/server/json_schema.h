#pragma once

// JSON Schemas of requests and answers, for the descriptions of routes.

#include <string_view>

#include "base/json.h"

namespace headrace::server::schema {

inline JsonObject type(std::string_view name) { return {{"type", name}}; }
inline JsonObject text() { return type("string"); }
inline JsonObject integer() { return type("integer"); }
inline JsonObject nullable(std::string_view name) {
  return {{"type", JsonArray{Json(name), Json("null")}}};
}
inline JsonObject list_of(JsonObject items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}
// All properties are always there.
inline JsonObject object_of(JsonObject properties) {
  JsonArray required;
  for (const auto& [name, property] : properties) required.emplace_back(name);
  return {
      {"type", "object"}, {"required", std::move(required)}, {"properties", std::move(properties)}};
}

// A body, as routes describe it.
inline JsonObject json_content(JsonObject schema) {
  return {{"application/json", std::move(schema)}};
}

}  // namespace headrace::server::schema
