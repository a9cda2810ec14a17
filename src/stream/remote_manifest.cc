#include "stream/remote_manifest.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "codec/crc32c.h"

namespace headrace::stream {
namespace {

constexpr std::string_view kTitle = "headrace remote manifest ";
constexpr int64_t kManifestVersion = 1;
constexpr std::string_view kChecksumTitle = " crc32c ";
constexpr size_t kMaxSegmentNameLength = 100;

[[noreturn]] void fail_corrupt(std::string_view what) {
  fail(ErrorKind::kCorrupt, "the manifest of remote segments is damaged: {}", what);
}

std::string first_line(std::string_view body) {
  return format("{}{}{}{:08x}\n", kTitle, kManifestVersion, kChecksumTitle, codec::crc32c(body));
}

Json to_json(const RemoteSegment& remote) {
  return JsonObject{{"name", remote.name},
                    {"base_offset", remote.segment.base_offset},
                    {"end_offset", remote.segment.end_offset},
                    {"bytes", remote.segment.size_bytes},
                    {"max_timestamp_ms", remote.segment.max_timestamp_ms},
                    {"last_append_ms", remote.segment.last_append_ms},
                    {"index_bytes", remote.index_bytes},
                    {"index_crc32c", remote.index_checksum}};
}

uint64_t count_member(const Json& json, std::string_view name, int64_t most) {
  const int64_t value = integer_member(json, name);
  if (value < 0 || value > most) fail_corrupt(format("'{}' is {}", name, value));
  return static_cast<uint64_t>(value);
}

// It becomes part of a URI.
std::string name_member(const Json& json) {
  std::string name = string_member(json, "name");
  const bool is_plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-';
  });
  if (name.empty() || name.size() > kMaxSegmentNameLength || !is_plain) {
    fail_corrupt(format("'{}' is no name of a segment", name));
  }
  return name;
}

RemoteSegment parse_segment(const Json& json) {
  RemoteSegment remote;
  remote.name = name_member(json);
  remote.segment.base_offset = static_cast<Offset>(count_member(json, "base_offset", INT64_MAX));
  remote.segment.end_offset = static_cast<Offset>(count_member(json, "end_offset", INT64_MAX));
  remote.segment.size_bytes = count_member(json, "bytes", INT64_MAX);
  remote.segment.max_timestamp_ms = integer_member(json, "max_timestamp_ms");
  remote.segment.last_append_ms = integer_member(json, "last_append_ms");
  remote.index_bytes = count_member(json, "index_bytes", INT64_MAX);
  remote.index_checksum = static_cast<uint32_t>(count_member(json, "index_crc32c", UINT32_MAX));
  if (remote.segment.end_offset <= remote.segment.base_offset || remote.segment.size_bytes == 0) {
    fail_corrupt(format("segment {} is empty", remote.name));
  }
  return remote;
}

RemoteManifest parse_body(std::string_view body) {
  const Json json = parse_json(body, "the manifest of remote segments");
  RemoteManifest manifest;
  manifest.topic = string_member(json, "topic");
  manifest.partition = static_cast<int>(count_member(json, "partition", INT32_MAX));
  manifest.writer = string_member(json, "writer");
  manifest.previous_writer = string_member_or(json, "previous_writer", "");
  manifest.session = string_member(json, "session");
  manifest.generation = static_cast<int64_t>(count_member(json, "generation", INT64_MAX));
  manifest.state = parse_state(member(json, "state"));
  const Json& segments = member(json, "segments");
  if (!segments.is_array()) fail_corrupt("'segments' is not a list");
  Offset end = 0;
  for (const Json& item : segments.get_array()) {
    RemoteSegment remote = parse_segment(item);
    if (remote.segment.base_offset < end) {
      fail_corrupt(format("segment {} begins before the one before it ends", remote.name));
    }
    end = remote.segment.end_offset;
    manifest.segments.push_back(std::move(remote));
  }
  if (manifest.state.next_offset < end) fail_corrupt("it ends before its last segment");
  return manifest;
}

}  // namespace

uint64_t RemoteManifest::size_bytes() const {
  uint64_t sum = 0;
  for (const RemoteSegment& remote : segments) sum += remote.segment.size_bytes;
  return sum;
}

std::string encode_remote_manifest(const RemoteManifest& manifest) {
  JsonArray segments;
  for (const RemoteSegment& remote : manifest.segments) segments.push_back(to_json(remote));
  const std::string body = to_text(JsonObject{{"topic", manifest.topic},
                                              {"partition", manifest.partition},
                                              {"writer", manifest.writer},
                                              {"previous_writer", manifest.previous_writer},
                                              {"session", manifest.session},
                                              {"generation", manifest.generation},
                                              {"segments", std::move(segments)},
                                              {"state", to_json(manifest.state)}}) +
                           "\n";
  return first_line(body) + body;
}

RemoteManifest parse_remote_manifest(std::string_view text) {
  const size_t line_end = text.find('\n');
  if (line_end == std::string_view::npos || !text.starts_with(kTitle)) {
    fail_corrupt("it does not begin as one");
  }
  int64_t version = 0;
  const std::string_view rest = text.substr(kTitle.size(), line_end - kTitle.size());
  const auto [after, failure] = std::from_chars(rest.data(), rest.data() + rest.size(), version);
  if (failure != std::errc()) fail_corrupt("its first line names no version");
  if (version != kManifestVersion) {
    fail(ErrorKind::kUnsupported,
         "the manifest of remote segments has version {}, and this headrace knows version {}; a "
         "newer one wrote it, use that",
         version, kManifestVersion);
  }
  const std::string_view body = text.substr(line_end + 1);
  if (first_line(body) != text.substr(0, line_end + 1)) fail_corrupt("its checksum is not right");
  try {
    return parse_body(body);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInvalid) throw;
    fail_corrupt(error.message());
  }
}

}  // namespace headrace::stream
