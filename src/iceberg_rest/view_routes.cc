// Views of other engines: kept for them, not run.

#include "iceberg_rest/identifiers.h"
#include "iceberg_rest/rest_route.h"

namespace headrace::iceberg_rest {
namespace {

http::Response view_answer(const lake::View& view) {
  return http::json_response(200, JsonObject{{"metadata-location", view.metadata_location},
                                             {"metadata", view.metadata},
                                             {"config", JsonObject()}});
}

http::Response list_views(const Catalogs& catalogs, const http::Request& request) {
  const std::string database = existing_namespace(catalogs, request);
  return listing(catalogs.open.list_views(database), request);
}

http::Response create_view(const Catalogs& catalogs, const http::Request& request) {
  return view_answer(catalogs.open.create_view(existing_namespace(catalogs, request),
                                               parse_json(request.body, "the request")));
}

http::Response load_view(const Catalogs& catalogs, const http::Request& request) {
  const lake::TableIdentifier identifier = table_in_path(request, "view");
  const auto view = catalogs.open.find_view(identifier);
  if (!view) fail(ErrorKind::kNotFound, "view {} does not exist", identifier.to_string());
  return view_answer(*view);
}

http::Response commit_view(const Catalogs& catalogs, const http::Request& request) {
  return view_answer(catalogs.open.commit_view(table_in_path(request, "view"),
                                               parse_json(request.body, "the request")));
}

http::Response drop_view(const Catalogs& catalogs, const http::Request& request) {
  catalogs.open.drop_view(table_in_path(request, "view"));
  return no_content();
}

http::Response rename_view(const Catalogs& catalogs, const http::Request& request) {
  const Json body = parse_json(request.body, "the request");
  const lake::TableIdentifier to = identifier_from_json(member(body, "destination"));
  if (!catalogs.open.find_namespace(to.database)) fail_no_namespace(to.database);
  catalogs.open.rename_view(identifier_from_json(member(body, "source")), to);
  return no_content();
}

}  // namespace

void add_view_routes(RestRoutes& routes, const Catalogs& catalogs) {
  const auto bound = bound_to(catalogs);
  const std::string all = "/v1/namespaces/{namespace}/views";
  const std::string one = all + "/{view}";
  routes.add({.method = "GET",
              .path = all,
              .operation = "icebergListViews",
              .summary = "Iceberg REST: the views of a namespace",
              .subject = Subject::kNamespace},
             bound(list_views));
  routes.add({.method = "POST",
              .path = all,
              .operation = "icebergCreateView",
              .summary = "Iceberg REST: creates a view",
              .subject = Subject::kView},
             bound(create_view));
  routes.add({.method = "GET",
              .path = one,
              .operation = "icebergLoadView",
              .summary = "Iceberg REST: a view's metadata",
              .subject = Subject::kView,
              .answers_head = true},
             bound(load_view));
  routes.add({.method = "POST",
              .path = one,
              .operation = "icebergReplaceView",
              .summary = "Iceberg REST: replaces a view",
              .subject = Subject::kView},
             bound(commit_view));
  routes.add({.method = "DELETE",
              .path = one,
              .operation = "icebergDropView",
              .summary = "Iceberg REST: drops a view",
              .subject = Subject::kView,
              .success_status = 204},
             bound(drop_view));
  routes.add({.method = "POST",
              .path = "/v1/views/rename",
              .operation = "icebergRenameView",
              .summary = "Iceberg REST: gives a view another name",
              .subject = Subject::kView,
              .success_status = 204},
             bound(rename_view));
}

}  // namespace headrace::iceberg_rest
