#include "server/topic_routes.h"

#include <utility>

#include "server/json_schema.h"
#include "server/topic_json.h"

namespace headrace::server {
namespace {

using schema::json_content;
using schema::type;

JsonObject list_schema() {
  const JsonObject topic = schema::object_of({{"name", type("string")},
                                              {"partitions", type("integer")},
                                              {"records", type("integer")},
                                              {"size_bytes", type("integer")},
                                              {"local_bytes", type("integer")},
                                              {"remote_bytes", type("integer")},
                                              {"state", type("string")}});
  return schema::object_of({{"topics", schema::list_of(topic)}});
}

JsonObject topic_schema() {
  const JsonObject reader =
      schema::object_of({{"name", type("string")}, {"next_needed", type("integer")}});
  const JsonObject partition = schema::object_of({{"partition", type("integer")},
                                                  {"start_offset", type("integer")},
                                                  {"end_offset", type("integer")},
                                                  {"size_bytes", type("integer")},
                                                  {"segments", type("integer")},
                                                  {"local_bytes", type("integer")},
                                                  {"remote_bytes", type("integer")},
                                                  {"remote_segments", type("integer")},
                                                  {"uploaded_offset", type("integer")},
                                                  {"upload_lag_bytes", type("integer")},
                                                  {"upload_lag_segments", type("integer")},
                                                  {"upload_problem", schema::nullable("string")},
                                                  {"refuses_appends", schema::nullable("string")},
                                                  {"note", schema::nullable("string")},
                                                  {"readers", schema::list_of(reader)}});
  JsonObject config = topic_config_schema();
  config.erase("required");
  config.at("properties").as_object().erase("name");
  return schema::object_of({{"name", type("string")},
                            {"config", std::move(config)},
                            {"partitions", schema::list_of(partition)}});
}

http::Response list_topics(const stream::Log& log) {
  JsonArray topics;
  for (const std::string& name : log.topic_names()) {
    // It may have been deleted meanwhile.
    if (const stream::Topic* topic = log.find_topic(name))
      topics.push_back(summarize_topic(*topic));
  }
  return http::json_response(200, JsonObject{{"topics", std::move(topics)}});
}

http::Response create_topic(stream::Log& log, const http::Request& request) {
  const NewTopic topic = read_new_topic(parse_json(request.body, "the topic's description"));
  return http::json_response(201, describe_topic(log.create_topic(topic.name, topic.config)));
}

http::Response alter_topic(stream::Log& log, const http::Request& request) {
  const std::string& name = request.path_parameter("topic");
  const Json body = parse_json(request.body, "the topic's changes");
  log.alter_topic(name, read_topic_changes(body, log.topic(name).config()));
  return http::json_response(200, describe_topic(log.topic(name)));
}

http::Response delete_topic(stream::Log& log, const http::Request& request) {
  log.delete_topic(request.path_parameter("topic"));
  http::Response response;
  response.status = 204;
  return response;
}

}  // namespace

void add_topic_routes(Routes& routes, stream::Log& log, http::WorkerPool& pool) {
  RouteDescription list{.method = "GET",
                        .pattern = "/v1/topics",
                        .operation = "listTopics",
                        .group = "topics",
                        .summary = "All topics with their sizes",
                        .response = json_content(list_schema())};
  routes.add({std::move(list), [&log](const http::Request&, const http::Responder& respond) {
                respond(list_topics(log));
              }});
  RouteDescription create{.method = "POST",
                          .pattern = "/v1/topics",
                          .operation = "createTopic",
                          .group = "topics",
                          .summary = "Creates a topic",
                          .request = json_content(topic_config_schema()),
                          .response = json_content(topic_schema()),
                          .success_status = 201,
                          .error_statuses = {400, 409}};
  routes.add({std::move(create), http::on_workers(pool, [&log](const http::Request& request) {
                return create_topic(log, request);
              })});
  RouteDescription show{.method = "GET",
                        .pattern = "/v1/topics/{topic}",
                        .operation = "showTopic",
                        .group = "topics",
                        .summary = "A topic's settings, partitions, offsets and readers",
                        .response = json_content(topic_schema()),
                        .error_statuses = {404}};
  routes.add(
      {std::move(show), [&log](const http::Request& request, const http::Responder& respond) {
         respond(
             http::json_response(200, describe_topic(log.topic(request.path_parameter("topic")))));
       }});
  JsonObject changes = topic_config_schema();
  changes.erase("required");
  RouteDescription alter{.method = "PATCH",
                         .pattern = "/v1/topics/{topic}",
                         .operation = "alterTopic",
                         .group = "topics",
                         .summary = "Changes a topic's settings; partitions can be added",
                         .request = json_content(std::move(changes)),
                         .response = json_content(topic_schema()),
                         .error_statuses = {400, 404}};
  routes.add({std::move(alter), http::on_workers(pool, [&log](const http::Request& request) {
                return alter_topic(log, request);
              })});
  RouteDescription remove{.method = "DELETE",
                          .pattern = "/v1/topics/{topic}",
                          .operation = "deleteTopic",
                          .group = "topics",
                          .summary = "Deletes a topic with all its records",
                          .success_status = 204,
                          .error_statuses = {404, 409}};
  routes.add({std::move(remove), http::on_workers(pool, [&log](const http::Request& request) {
                return delete_topic(log, request);
              })});
}

}  // namespace headrace::server
