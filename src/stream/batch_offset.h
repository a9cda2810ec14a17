#pragma once

// For those who make batches of records that have their offsets already.

#include "stream/record_batch.h"

namespace headrace::stream {

// The offset of the batch's first record.
void set_base_offset(EncodedBatch& batch, Offset base_offset);

}  // namespace headrace::stream
