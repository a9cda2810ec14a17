// Tables: list, create, load, drop, register, rename, metrics.

#include "iceberg_rest/identifiers.h"
#include "iceberg_rest/rest_route.h"
#include "iceberg_rest/table_answer.h"

namespace headrace::iceberg_rest {
namespace {

http::Response list_tables(const Catalogs& catalogs, const http::Request& request) {
  const std::string database = existing_namespace(catalogs, request);
  return listing(catalogs.tables.list(database), request);
}

http::Response create_table(const Catalogs& catalogs, const http::Request& request) {
  const std::string database = existing_namespace(catalogs, request);
  const Json body = parse_json(request.body, "the request");
  const Json* stage = find_member(body, "stage-create");
  const bool staged = stage != nullptr && stage->is_bool() && stage->get_bool();
  const lake::TablePtr table =
      catalogs.open.create(lake::new_table_from_json(database, body), staged);
  if (!staged) catalogs.changes.committed({table->identifier});
  return table_answer(catalogs, request, *table);
}

http::Response load_table(const Catalogs& catalogs, const http::Request& request) {
  const lake::TablePtr table = catalogs.tables.load(table_in_path(request));
  const std::string_view which = request.query_parameter("snapshots").value_or("all");
  return table_answer_if_changed(catalogs, request, *table,
                                 which == "refs" ? Snapshots::kRefs : Snapshots::kAll);
}

http::Response credentials(const Catalogs& catalogs, const http::Request& request) {
  return credentials_answer(catalogs, *catalogs.tables.load(table_in_path(request)));
}

http::Response drop_table(const Catalogs& catalogs, const http::Request& request) {
  const lake::TableIdentifier table = table_in_path(request);
  catalogs.changes.check_may_go(table);
  catalogs.tables.drop(table, flag(request, "purgeRequested"));
  catalogs.changes.gone(table);
  return no_content();
}

http::Response register_table(const Catalogs& catalogs, const http::Request& request) {
  const std::string database = existing_namespace(catalogs, request);
  const Json body = parse_json(request.body, "the request");
  const lake::TableIdentifier identifier{database, string_member(body, "name")};
  const Json* overwrite = find_member(body, "overwrite");
  const bool overwrites = overwrite != nullptr && overwrite->is_bool() && overwrite->get_bool();
  if (overwrites) catalogs.changes.check_may_go(identifier);
  const lake::TablePtr table = catalogs.open.register_table(
      identifier, string_member(body, "metadata-location"), overwrites);
  catalogs.changes.committed({identifier});
  return table_answer(catalogs, request, *table);
}

http::Response rename_table(const Catalogs& catalogs, const http::Request& request) {
  const Json body = parse_json(request.body, "the request");
  const lake::TableIdentifier from = identifier_from_json(member(body, "source"));
  const lake::TableIdentifier to = identifier_from_json(member(body, "destination"));
  if (!catalogs.open.find_namespace(to.database)) fail_no_namespace(to.database);
  catalogs.changes.check_may_go(from);
  catalogs.open.rename(from, to);
  catalogs.changes.gone(from);
  catalogs.changes.committed({to});
  return no_content();
}

// Clients report what a scan or a commit cost them, of tables that need not be there yet, too.
http::Response count_report(const Catalogs& catalogs, const http::Request& request) {
  const Json body = parse_json(request.body, "the report");
  const std::string type = string_member(body, "report-type");
  const bool is_known = type == "scan-report" || type == "commit-report";
  catalogs.metrics
      .counter("headrace_iceberg_reports_total", "Metrics reports of Iceberg clients",
               {{"type", is_known ? type : "other"}})
      .add();
  return no_content();
}

}  // namespace

void add_table_routes(RestRoutes& routes, const Catalogs& catalogs) {
  const auto bound = bound_to(catalogs);
  const std::string all = "/v1/namespaces/{namespace}/tables";
  const std::string one = all + "/{table}";
  routes.add({.method = "GET",
              .path = all,
              .operation = "icebergListTables",
              .summary = "Iceberg REST: the tables of a namespace",
              .subject = Subject::kNamespace},
             bound(list_tables));
  routes.add({.method = "POST",
              .path = all,
              .operation = "icebergCreateTable",
              .summary = "Iceberg REST: creates a table, or stages one"},
             bound(create_table));
  routes.add({.method = "GET",
              .path = one,
              .operation = "icebergLoadTable",
              .summary = "Iceberg REST: a table's metadata",
              .answers_head = true,
              .parameters = {{"snapshots", "query", "all, or refs for those of branches and tags",
                              JsonObject{{"type", "string"}, {"default", "all"}}}}},
             bound(load_table));
  routes.add({.method = "GET",
              .path = one + "/credentials",
              .operation = "icebergLoadCredentials",
              .summary = "Iceberg REST: credentials for a table's files"},
             bound(credentials));
  routes.add({.method = "DELETE",
              .path = one,
              .operation = "icebergDropTable",
              .summary = "Iceberg REST: drops a table, with its files when asked to",
              .success_status = 204,
              .parameters = {{"purgeRequested", "query", "Whether its files go, too",
                              JsonObject{{"type", "boolean"}, {"default", false}}}}},
             bound(drop_table));
  routes.add({.method = "POST",
              .path = "/v1/namespaces/{namespace}/register",
              .operation = "icebergRegisterTable",
              .summary = "Iceberg REST: takes up a table by its metadata file"},
             bound(register_table));
  routes.add({.method = "POST",
              .path = "/v1/tables/rename",
              .operation = "icebergRenameTable",
              .summary = "Iceberg REST: gives a table another name",
              .success_status = 204},
             bound(rename_table));
  routes.add({.method = "POST",
              .path = one + "/metrics",
              .operation = "icebergReportMetrics",
              .summary = "Iceberg REST: takes in what a client measured",
              .success_status = 204},
             bound(count_report));
}

}  // namespace headrace::iceberg_rest
