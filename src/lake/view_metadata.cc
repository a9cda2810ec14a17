#include "lake/view_metadata.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "lake/metadata_json.h"

namespace headrace::lake {
namespace {

constexpr size_t kKeptVersions = 10;  // Iceberg's default of version.history.num-entries
constexpr int64_t kLastAdded = -1;

// Metadata under change, and what was added last.
struct Draft {
  JsonObject metadata;
  int64_t now_ms;
  int64_t last_schema_id = kLastAdded;
  int64_t last_version_id = kLastAdded;

  JsonArray& list(const char* name) {
    Json& entry = metadata[name];
    if (!entry.is_array()) entry = JsonArray();
    return entry.get_array();
  }
};

bool holds(const JsonArray& list, const char* member, int64_t id) {
  return std::any_of(list.begin(), list.end(),
                     [&](const Json& entry) { return integer_member(entry, member) == id; });
}

int64_t next_id(const JsonArray& list, const char* member, int64_t first) {
  int64_t next = first;
  for (const Json& entry : list) next = std::max(next, integer_member(entry, member) + 1);
  return next;
}

JsonObject object(const Json& json, const char* name) {
  const Json& found = member(json, name);
  if (!found.is_object()) fail(ErrorKind::kInvalid, "\"{}\" is not an object", name);
  return found.get_object();
}

void check_uuid(Draft& draft, const Json& update) {
  if (string_member(draft.metadata, "view-uuid") != string_member(update, "uuid")) {
    fail(ErrorKind::kInvalid, "the uuid of a view cannot change");
  }
}

void check_format_version(Draft&, const Json& update) {
  if (integer_member(update, "format-version") != 1) {
    fail(ErrorKind::kUnsupported, "views have format version 1");
  }
}

void add_view_schema(Draft& draft, const Json& update) {
  JsonObject schema = object(update, "schema");
  JsonArray& schemas = draft.list("schemas");
  draft.last_schema_id = next_id(schemas, "schema-id", 0);
  schema["schema-id"] = draft.last_schema_id;
  schemas.push_back(std::move(schema));
}

void set_view_location(Draft& draft, const Json& update) {
  draft.metadata["location"] = string_member(update, "location");
}

void set_view_properties(Draft& draft, const Json& update) {
  Json& properties = draft.metadata["properties"];
  if (!properties.is_object()) properties = JsonObject();
  for (const auto& [name, value] : properties_from_json(find_member(update, "updates"))) {
    properties.get_object()[name] = value;
  }
}

void remove_view_properties(Draft& draft, const Json& update) {
  Json& properties = draft.metadata["properties"];
  if (!properties.is_object()) return;
  for (const Json& name : member(update, "removals").as_array()) {
    properties.get_object().erase(name.as_string());
  }
}

void add_view_version(Draft& draft, const Json& update) {
  JsonObject version = object(update, "view-version");
  const int64_t schema = integer_member(version, "schema-id");
  const int64_t schema_id = schema == kLastAdded ? draft.last_schema_id : schema;
  if (!holds(draft.list("schemas"), "schema-id", schema_id)) {
    fail(ErrorKind::kInvalid, "the view's version names schema {}, which is not there", schema_id);
  }
  const Json* representations = version.if_contains("representations");
  if (representations == nullptr || !representations->is_array() ||
      representations->get_array().empty()) {
    fail(ErrorKind::kInvalid, "a view's version needs representations");
  }
  JsonArray& versions = draft.list("versions");
  draft.last_version_id = next_id(versions, "version-id", 1);
  version["schema-id"] = schema_id;
  version["version-id"] = draft.last_version_id;
  version["timestamp-ms"] = draft.now_ms;
  versions.push_back(std::move(version));
}

void set_current_view_version(Draft& draft, const Json& update) {
  const int64_t given = integer_member(update, "view-version-id");
  const int64_t id = given == kLastAdded ? draft.last_version_id : given;
  JsonArray& versions = draft.list("versions");
  if (!holds(versions, "version-id", id)) {
    fail(ErrorKind::kInvalid, "the view has no version {}", id);
  }
  draft.metadata["current-version-id"] = id;
  draft.list("version-log")
      .push_back(JsonObject{{"timestamp-ms", draft.now_ms}, {"version-id", id}});
  for (auto it = versions.begin(); it != versions.end() && versions.size() > kKeptVersions;) {
    it = integer_member(*it, "version-id") == id ? it + 1 : versions.erase(it);
  }
}

struct ViewUpdateKind {
  std::string_view action;
  void (*apply)(Draft& draft, const Json& update);
};

constexpr std::array<ViewUpdateKind, 8> kViewUpdates = {
    {{"assign-uuid", check_uuid},
     {"upgrade-format-version", check_format_version},
     {"add-schema", add_view_schema},
     {"set-location", set_view_location},
     {"set-properties", set_view_properties},
     {"remove-properties", remove_view_properties},
     {"add-view-version", add_view_version},
     {"set-current-view-version", set_current_view_version}}};

void check_requirement(const Json& metadata, const Json& requirement) {
  const std::string type = string_member(requirement, "type");
  if (type != "assert-view-uuid") {
    fail(ErrorKind::kUnsupported, "the requirement \"{}\" is none of views", type);
  }
  if (string_member(requirement, "uuid") != string_member(metadata, "view-uuid")) {
    fail(ErrorKind::kConflict, "the view was dropped and created again");
  }
}

void apply(Draft& draft, const Json& update) {
  const std::string action = string_member(update, "action");
  const auto* kind =
      std::find_if(kViewUpdates.begin(), kViewUpdates.end(),
                   [&](const ViewUpdateKind& known) { return known.action == action; });
  if (kind == kViewUpdates.end()) {
    fail(ErrorKind::kUnsupported, "the update \"{}\" is none of views", action);
  }
  try {
    kind->apply(draft, update);
  } catch (const boost::system::system_error& error) {
    fail(ErrorKind::kInvalid, "reading the update \"{}\": {}", action, error.what());
  }
}

const JsonArray& array_or_empty(const Json& request, const char* name) {
  static const JsonArray empty;
  const Json* found = find_member(request, name);
  if (found == nullptr) return empty;
  if (!found->is_array()) fail(ErrorKind::kInvalid, "\"{}\" is not an array", name);
  return found->get_array();
}

}  // namespace

Json first_view_metadata(const Json& request, const std::string& location, const std::string& uuid,
                         int64_t now_ms) {
  Draft draft{{{"view-uuid", uuid}, {"format-version", 1}, {"location", location}}, now_ms};
  if (const Json* properties = find_member(request, "properties")) {
    set_view_properties(draft, JsonObject{{"updates", *properties}});
  }
  add_view_schema(draft, request);
  JsonObject version = object(request, "view-version");
  version["schema-id"] = kLastAdded;
  add_view_version(draft, JsonObject{{"view-version", std::move(version)}});
  set_current_view_version(draft, JsonObject{{"view-version-id", kLastAdded}});
  return std::move(draft.metadata);
}

Json changed_view_metadata(const Json& metadata, const Json& request, int64_t now_ms) {
  for (const Json& requirement : array_or_empty(request, "requirements")) {
    check_requirement(metadata, requirement);
  }
  Draft draft{metadata.as_object(), now_ms};
  for (const Json& update : array_or_empty(request, "updates")) apply(draft, update);
  return std::move(draft.metadata);
}

}  // namespace headrace::lake
