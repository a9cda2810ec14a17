#pragma once

// Topics and records as the API shows them.

#include <string>
#include <string_view>

#include "base/json.h"
#include "stream/log.h"

namespace headrace::server {

// All partitions together.
struct TopicFigures {
  int64_t records = 0;
  int64_t bytes = 0;  // wherever they are, each once
  int64_t local_bytes = 0;
  int64_t remote_bytes = 0;
  std::string_view state = "ok";  // or "refuses appends", "uploads fail"
};
TopicFigures figures_of(const stream::Topic& topic);

// {"name","partitions":[{"partition","start_offset","end_offset","size_bytes","segments"}],"config"}
Json describe_topic(const stream::Topic& topic);
// {"name","partitions","records","size_bytes","local_bytes","remote_bytes","state"}
Json summarize_topic(const stream::Topic& topic);

struct NewTopic {
  std::string name;
  stream::TopicConfig config;
};
// Reads the body of POST /v1/topics; invalid naming the member that is unknown or of a wrong type.
NewTopic read_new_topic(const Json& body);
// The body of PATCH /v1/topics/{topic}: settings that are not named stay.
stream::TopicConfig read_topic_changes(const Json& body, const stream::TopicConfig& before);
JsonObject topic_config_schema();  // JSON Schema of that body

// One line of a tail: value as text, or as "value_base64" when it is not UTF-8; ends with \n.
void append_record_line(std::string& out, int partition, const stream::RecordView& record);

}  // namespace headrace::server
