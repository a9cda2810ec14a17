// Commits: to one table, and to several at once.

#include "iceberg_rest/identifiers.h"
#include "iceberg_rest/rest_route.h"
#include "iceberg_rest/table_answer.h"

namespace headrace::iceberg_rest {
namespace {

http::Response commit_table(const Catalogs& catalogs, const http::Request& request) {
  const lake::TableIdentifier identifier = table_in_path(request);
  const Json body = parse_json(request.body, "the request");
  const auto tables =
      catalogs.open.commit_updates({lake::table_updates_from_json(identifier, body)});
  catalogs.changes.committed({identifier});
  return table_answer(catalogs, request, *tables.at(0));
}

http::Response commit_all(const Catalogs& catalogs, const http::Request& request) {
  const Json body = parse_json(request.body, "the request");
  const Json& changes = member(body, "table-changes");
  if (!changes.is_array()) fail(ErrorKind::kInvalid, "\"table-changes\" is not an array");
  std::vector<lake::TableUpdates> updates;
  std::vector<lake::TableIdentifier> identifiers;
  for (const Json& change : changes.get_array()) {
    identifiers.push_back(identifier_from_json(member(change, "identifier")));
    updates.push_back(lake::table_updates_from_json(identifiers.back(), change));
  }
  catalogs.open.commit_updates(updates);
  catalogs.changes.committed(identifiers);
  return no_content();
}

}  // namespace

void add_commit_routes(RestRoutes& routes, const Catalogs& catalogs) {
  routes.add({.method = "POST",
              .path = "/v1/namespaces/{namespace}/tables/{table}",
              .operation = "icebergCommitTable",
              .summary = "Iceberg REST: commits changes to a table, or creates a staged one"},
             [catalogs](const http::Request& request) { return commit_table(catalogs, request); });
  routes.add({.method = "POST",
              .path = "/v1/transactions/commit",
              .operation = "icebergCommitTransaction",
              .summary = "Iceberg REST: commits changes to several tables, all or nothing",
              .success_status = 204},
             [catalogs](const http::Request& request) { return commit_all(catalogs, request); });
}

}  // namespace headrace::iceberg_rest
