#pragma once

// What a request to take in records asks for, apart from the records.

#include <optional>
#include <string>

#include "http/message.h"
#include "server/record_reader.h"
#include "server/record_splitter.h"
#include "stream/log.h"

namespace headrace::server {

struct IngestRequest {
  BodyFormat format = BodyFormat::kLines;
  RecordPaths paths;
  std::optional<int> partition;
  bool validate = true;
  stream::ProducerStamp producer;

  bool needs_reading() const { return validate || paths.key || paths.timestamp; }
  bool is_idempotent() const { return producer.producer_id >= 0; }
};

// Throws Error invalid for parameters that are wrong or do not go together, not_found for a
// partition that the topic has not. The content type must be one that format_of_content_type knows.
IngestRequest read_ingest_request(const http::Request& request, int partition_count);

}  // namespace headrace::server
