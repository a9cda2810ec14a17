#include "server/ingest_request.h"

#include <charconv>
#include <limits>

namespace headrace::server {
namespace {

std::optional<int64_t> integer_header(const http::Request& request, std::string_view name,
                                      int64_t highest) {
  const auto text = request.headers.find(name);
  if (!text.has_value()) return std::nullopt;
  int64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [stop, problem] = std::from_chars(text->data(), end, value);
  if (problem != std::errc() || stop != end || value < 0 || value > highest) {
    fail(ErrorKind::kInvalid, "reading the header {}: '{}' is not a number from 0 to {}", name,
         *text, highest);
  }
  return value;
}

stream::ProducerStamp read_producer(const http::Request& request) {
  const auto id =
      integer_header(request, "Headrace-Producer-Id", std::numeric_limits<int64_t>::max());
  const auto epoch =
      integer_header(request, "Headrace-Producer-Epoch", std::numeric_limits<int16_t>::max());
  const auto sequence =
      integer_header(request, "Headrace-Sequence", std::numeric_limits<int32_t>::max());
  if (!id.has_value() && !epoch.has_value() && !sequence.has_value()) return {};
  if (!id.has_value() || !sequence.has_value()) {
    fail(ErrorKind::kInvalid,
         "an idempotent request needs both headers Headrace-Producer-Id and Headrace-Sequence");
  }
  return {*id, static_cast<int16_t>(epoch.value_or(0)), static_cast<int32_t>(*sequence)};
}

std::optional<std::string> path_of(const http::Request& request, std::string_view name) {
  const auto path = request.query_parameter(name);
  if (!path.has_value() || path->empty()) return std::nullopt;
  return std::string(*path);
}

void refuse_paths_into_bytes(const IngestRequest& ingest) {
  if (ingest.format == BodyFormat::kLengthPrefixed &&
      (ingest.paths.key || ingest.paths.timestamp)) {
    fail(ErrorKind::kInvalid,
         "key and timestamp paths lead into JSON records: application/octet-stream has none");
  }
}

// Why: see ingest.h.
void place_producer(IngestRequest& ingest, int partition_count) {
  if (!ingest.is_idempotent() || ingest.partition.has_value()) return;
  if (ingest.paths.key && partition_count > 1) {
    fail(ErrorKind::kInvalid,
         "an idempotent request cannot spread records by key over {} partitions: give the "
         "partition, leave out the key, or leave out Headrace-Producer-Id",
         partition_count);
  }
  ingest.partition = static_cast<int>(ingest.producer.producer_id % partition_count);
}

}  // namespace

IngestRequest read_ingest_request(const http::Request& request, int partition_count) {
  IngestRequest ingest;
  const auto format = format_of_content_type(request.headers.get_or("Content-Type", ""));
  if (!format.has_value()) fail(ErrorKind::kInternal, "the content type was not checked");
  ingest.format = *format;
  ingest.paths = {path_of(request, "key"), path_of(request, "timestamp")};
  ingest.producer = read_producer(request);
  ingest.validate =
      ingest.format == BodyFormat::kArray ||
      (ingest.format == BodyFormat::kLines && request.boolean_parameter("validate", true));
  refuse_paths_into_bytes(ingest);
  if (request.query_parameter("partition").has_value()) {
    ingest.partition = static_cast<int>(
        request.integer_parameter("partition", 0, 0, std::numeric_limits<int>::max()));
    if (*ingest.partition >= partition_count) {
      fail(ErrorKind::kNotFound, "there is no partition {}: the topic has {} (0 to {})",
           *ingest.partition, partition_count, partition_count - 1);
    }
  }
  place_producer(ingest, partition_count);
  return ingest;
}

}  // namespace headrace::server
