#pragma once

// Deletion vectors: the positions of deleted rows of one data file, as blobs of type
// deletion-vector-v1 (Iceberg's Puffin specification): length and CRC-32 big-endian, in between a
// magic number and 64-bit Roaring bitmaps, which are lists of 32-bit ones by their upper halves.
// Pure functions, any thread.

#include <string>
#include <string_view>

#include "lake/row_positions.h"

namespace headrace::lake {

std::string write_deletion_vector(const RowPositions& positions);

// Errors: corrupt when the bytes break the format or their checksum; unsupported for positions
// from 2^32 on.
RowPositions read_deletion_vector(std::string_view blob);

}  // namespace headrace::lake
