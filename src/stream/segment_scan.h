#pragma once

// Going through the batches of a segment's bytes. Private to this module.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "stream/batch_header.h"

namespace headrace::stream {

using BatchVisitor =
    std::function<void(const BatchHeader& header, uint64_t position, std::string_view batch)>;

struct ScanEnd {
  uint64_t valid_bytes = 0;  // where the last whole batch ends
  Offset next_offset = 0;
};

// Visits each batch from byte `from` on, where `expected_offset` must begin, and checks checksums
// and offsets. Stops at the first bytes that are not a whole batch: a torn tail, when nothing valid
// follows. Error corrupt, naming file and byte, when something valid does follow.
ScanEnd scan_segment(std::string_view bytes, uint64_t from, Offset expected_offset,
                     const std::string& path, const BatchVisitor& visit);

// Visits the batches in [from, to) by their headers alone. Error corrupt where one does not parse.
void walk_segment(std::string_view bytes, uint64_t from, uint64_t to, const std::string& path,
                  const BatchVisitor& visit);

}  // namespace headrace::stream
