#pragma once

// The libraries' contexts, one set for each thread: making one costs more than compressing a small
// batch. Private to this module.

#include <memory>

#include <lz4frame.h>
#include <zstd.h>

namespace headrace::codec {

struct ContextDeleter {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};

using ZstdCompression = std::unique_ptr<ZSTD_CCtx, ContextDeleter>;
using ZstdDecompression = std::unique_ptr<ZSTD_DCtx, ContextDeleter>;
using Lz4Decompression = std::unique_ptr<LZ4F_dctx, ContextDeleter>;

// Each throws Error unavailable when there is no memory.
ZstdCompression make_zstd_compression();
ZstdDecompression make_zstd_decompression();
Lz4Decompression make_lz4_decompression();

// Of this thread, reset and ready for the next frame.
ZSTD_CCtx* thread_zstd_compression();
ZSTD_DCtx* thread_zstd_decompression();
LZ4F_dctx* thread_lz4_decompression();

}  // namespace headrace::codec
