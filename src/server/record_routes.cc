// The descriptions of the routes that take records in and give them out.

#include "server/ingest.h"
#include "server/json_schema.h"
#include "server/tail.h"

namespace headrace::server {
namespace {

using schema::type;

JsonObject append_schema() {
  const JsonObject partition = schema::object_of({{"partition", type("integer")},
                                                  {"first_offset", type("integer")},
                                                  {"last_offset", type("integer")}});
  return schema::object_of({{"topic", type("string")},
                            {"records", type("integer")},
                            {"duplicate", type("boolean")},
                            {"partitions", schema::list_of(partition)}});
}

RouteDescription describe_ingest() {
  return {.method = "POST",
          .pattern = "/v1/topics/{topic}/records",
          .operation = "appendRecords",
          .group = "records",
          .summary = "Appends records; answers when they are durable",
          .detail =
              "NDJSON, a JSON array, or length-prefixed bytes (u32 big-endian length and the "
              "bytes, repeated); Content-Encoding gzip or zstd. One bad record refuses the whole "
              "request, with its line.",
          .parameters = {{"key", "query", "JSON pointer to each record's key", type("string")},
                         {"timestamp", "query",
                          "JSON pointer to each record's time: ISO 8601 text or milliseconds",
                          type("string")},
                         {"partition", "query", "Partition to append to", type("integer")},
                         {"validate", "query", "Whether each line must be one JSON value",
                          JsonObject{{"type", "boolean"}, {"default", true}}},
                         {"Headrace-Producer-Id", "header", "Makes the request idempotent",
                          type("integer")},
                         {"Headrace-Producer-Epoch", "header",
                          "Fences older epochs of the producer", type("integer")},
                         {"Headrace-Sequence", "header", "Records that the producer sent before",
                          type("integer")}},
          .request = {{"application/x-ndjson", type("string")},
                      {"application/json", schema::list_of({})},
                      {"application/octet-stream",
                       JsonObject{{"type", "string"}, {"format", "binary"}}}},
          .response = {{"application/json", append_schema()}},
          .error_statuses = {400, 404, 413, 415, 429, 503}};
}

RouteDescription describe_tail() {
  return {.method = "GET",
          .pattern = "/v1/topics/{topic}/records",
          .operation = "readRecords",
          .group = "records",
          .summary = "Records of a partition from an offset on, one JSON object a line",
          .parameters = {{"partition", "query", "Partition to read",
                          JsonObject{{"type", "integer"}, {"default", 0}}},
                         {"offset", "query", "earliest, latest or a number",
                          JsonObject{{"type", "string"}, {"default", "earliest"}}},
                         {"limit", "query", "Most records to answer with",
                          JsonObject{{"type", "integer"}, {"default", 100}, {"maximum", 10000}}},
                         {"wait_ms", "query", "How long to wait when there are none yet",
                          JsonObject{{"type", "integer"}, {"default", 0}, {"maximum", 60000}}}},
          .response = {{"application/x-ndjson", type("string")}},
          .error_statuses = {400, 404, 503}};
}

}  // namespace

Route Ingest::route() {
  return {describe_ingest(), [this](http::Request request, const http::Responder& respond) {
            handle(request, respond);
          }};
}

Route Tail::route() {
  return {describe_tail(), [this](const http::Request& request, const http::Responder& respond) {
            handle(request, respond);
          }};
}

}  // namespace headrace::server
