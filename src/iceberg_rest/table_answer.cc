#include "iceberg_rest/table_answer.h"

#include <set>

namespace headrace::iceberg_rest {
namespace {

// Metadata files never change, and their names are unique.
std::string entity_tag(const lake::Table& table, Snapshots snapshots) {
  const std::string& location = table.metadata_location;
  return format("\"{}{}\"", location.substr(location.rfind('/') + 1),
                snapshots == Snapshots::kRefs ? "-refs" : "");
}

lake::TableMetadata with_referenced(lake::TableMetadata metadata) {
  std::set<lake::SnapshotId> ids;
  for (const auto& [name, ref] : metadata.refs) ids.insert(integer_member(ref, "snapshot-id"));
  metadata.snapshots.take_if(
      [&](const lake::Snapshot& snapshot) { return !ids.contains(snapshot.snapshot_id); });
  return metadata;
}

JsonArray storage_credentials(const Catalogs& catalogs, const std::string& location) {
  if (catalogs.storage == nullptr) return {};
  JsonObject credentials = catalogs.storage->credentials(location);
  if (credentials.empty()) return {};
  for (const auto& property : catalogs.storage->properties(location)) {
    credentials[property.key()] = property.value();
  }
  return {JsonObject{{"prefix", location}, {"config", std::move(credentials)}}};
}

bool wants_credentials(const http::Request& request) {
  return request.headers.get_or("X-Iceberg-Access-Delegation", "").find("vended-credentials") !=
         std::string_view::npos;
}

// Clients differ in which of the two members they read.
std::string storage_text(const Catalogs& catalogs, const http::Request& request,
                         const std::string& location) {
  JsonObject config;
  if (catalogs.storage != nullptr) config = catalogs.storage->properties(location);
  JsonArray credentials;
  if (wants_credentials(request)) credentials = storage_credentials(catalogs, location);
  if (credentials.empty()) return R"("config":)" + to_text(config);
  return R"("config":)" + to_text(member(credentials.at(0), "config")) +
         R"(,"storage-credentials":)" + to_text(credentials);
}

}  // namespace

http::Response table_answer(const Catalogs& catalogs, const http::Request& request,
                            const lake::Table& table, Snapshots snapshots) {
  // The metadata's text is long, and much of it is kept: it is not made a JSON tree again.
  std::string text = "{";
  if (!table.metadata_location.empty()) {
    text += R"("metadata-location":)" + to_text(Json(table.metadata_location)) + ",";
  }
  text += R"("metadata":)";
  text += snapshots == Snapshots::kAll ? lake::to_text(table.metadata)
                                       : lake::to_text(with_referenced(table.metadata));
  text += "," + storage_text(catalogs, request, table.metadata.location) + "}";
  http::Response response = http::text_response(200, std::move(text), "application/json");
  if (!table.metadata_location.empty()) {
    response.headers.set("ETag", entity_tag(table, snapshots));
  }
  return response;
}

http::Response table_answer_if_changed(const Catalogs& catalogs, const http::Request& request,
                                       const lake::Table& table, Snapshots snapshots) {
  const std::string tag = entity_tag(table, snapshots);
  const std::string_view known = request.headers.get_or("If-None-Match", "");
  if (known != "*" && known.find(tag) == std::string_view::npos) {
    return table_answer(catalogs, request, table, snapshots);
  }
  http::Response response;
  response.status = 304;
  response.headers.set("ETag", tag);
  return response;
}

http::Response credentials_answer(const Catalogs& catalogs, const lake::Table& table) {
  return http::json_response(
      200,
      JsonObject{{"storage-credentials", storage_credentials(catalogs, table.metadata.location)}});
}

}  // namespace headrace::iceberg_rest
