#pragma once

// Kafka's compression numbers in terms of the codec module. Private to this module.

#include "codec/compression.h"
#include "stream/record_batch.h"

namespace headrace::stream {

inline codec::Codec codec_of(Compression compression) {
  switch (compression) {
    case Compression::kLz4:
      return codec::Codec::kLz4;
    case Compression::kZstd:
      return codec::Codec::kZstd;
    case Compression::kNone:
      break;
  }
  return codec::Codec::kNone;
}

}  // namespace headrace::stream
