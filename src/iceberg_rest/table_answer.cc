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
  std::erase_if(metadata.snapshots, [&](const lake::Snapshot& snapshot) {
    return !ids.contains(snapshot.snapshot_id);
  });
  return metadata;
}

}  // namespace

http::Response table_answer(const lake::Table& table, Snapshots snapshots) {
  // The metadata's text is long, and much of it is kept: it is not made a JSON tree again.
  std::string text = "{";
  if (!table.metadata_location.empty()) {
    text += R"("metadata-location":)" + to_text(Json(table.metadata_location)) + ",";
  }
  text += R"("metadata":)";
  text += snapshots == Snapshots::kAll ? lake::to_text(table.metadata)
                                       : lake::to_text(with_referenced(table.metadata));
  text += R"(,"config":{}})";
  http::Response response = http::text_response(200, std::move(text), "application/json");
  if (!table.metadata_location.empty()) {
    response.headers.set("ETag", entity_tag(table, snapshots));
  }
  return response;
}

http::Response table_answer_if_changed(const http::Request& request, const lake::Table& table,
                                       Snapshots snapshots) {
  const std::string tag = entity_tag(table, snapshots);
  const std::string_view known = request.headers.get_or("If-None-Match", "");
  if (known != "*" && known.find(tag) == std::string_view::npos) {
    return table_answer(table, snapshots);
  }
  http::Response response;
  response.status = 304;
  response.headers.set("ETag", tag);
  return response;
}

}  // namespace headrace::iceberg_rest
