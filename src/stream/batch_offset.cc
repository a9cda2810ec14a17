#include "stream/batch_offset.h"

#include "stream/batch_header.h"

namespace headrace::stream {

void set_base_offset(EncodedBatch& batch, Offset base_offset) {
  write_base_offset(batch.bytes.data(), base_offset);
}

}  // namespace headrace::stream
