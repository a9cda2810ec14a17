#include "stream/segment_scan.h"

#include <optional>

#include "base/error.h"

namespace headrace::stream {
namespace {

// Whether a whole valid batch that could belong here begins anywhere after byte `from`.
bool has_batch_after(std::string_view bytes, uint64_t from, Offset expected_offset) {
  for (uint64_t at = from + 1; at + kBatchHeaderBytes <= bytes.size(); ++at) {
    const std::string_view rest = bytes.substr(at);
    const std::optional<BatchHeader> header = parse_batch_header(rest);
    if (!header || header->base_offset <= expected_offset) continue;
    // No more records than there are bytes can lie between: this leaves out most of what is a
    // batch inside a record's value.
    if (static_cast<uint64_t>(header->base_offset - expected_offset) > at - from) continue;
    if (checksum_matches(rest, *header)) return true;
  }
  return false;
}

}  // namespace

ScanEnd scan_segment(std::string_view bytes, uint64_t from, Offset expected_offset,
                     const std::string& path, const BatchVisitor& visit) {
  ScanEnd end{from, expected_offset};
  while (end.valid_bytes < bytes.size()) {
    const std::string_view rest = bytes.substr(end.valid_bytes);
    const std::optional<BatchHeader> header = parse_batch_header(rest);
    if (!header || !checksum_matches(rest, *header)) {
      if (!has_batch_after(bytes, end.valid_bytes, end.next_offset)) break;
      fail(ErrorKind::kCorrupt,
           "reading {}: the batch at byte {} is damaged, and valid batches follow it; restore the "
           "file from a copy",
           path, end.valid_bytes);
    }
    if (header->base_offset != end.next_offset) {
      fail(ErrorKind::kCorrupt,
           "reading {}: the batch at byte {} has offset {}, expected was {}; restore the file from "
           "a copy",
           path, end.valid_bytes, header->base_offset, end.next_offset);
    }
    visit(*header, end.valid_bytes, rest.substr(0, header->total_bytes()));
    end.valid_bytes += header->total_bytes();
    end.next_offset = header->next_offset();
  }
  return end;
}

void walk_segment(std::string_view bytes, uint64_t from, uint64_t to, const std::string& path,
                  const BatchVisitor& visit) {
  if (to > bytes.size()) {
    fail(ErrorKind::kCorrupt,
         "reading {}: it has {} bytes, expected were at least {}; restore the file from a copy",
         path, bytes.size(), to);
  }
  while (from < to) {
    const std::string_view rest = bytes.substr(from, to - from);
    const std::optional<BatchHeader> header = parse_batch_header(rest);
    if (!header) {
      fail(ErrorKind::kCorrupt,
           "reading {}: there is no batch at byte {}; restore the file from a copy", path, from);
    }
    visit(*header, from, rest.substr(0, header->total_bytes()));
    from += header->total_bytes();
  }
}

}  // namespace headrace::stream
