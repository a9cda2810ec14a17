#include "codec/contexts.h"

#include "base/error.h"

namespace headrace::codec {
namespace {

template <class Context>
Context checked(Context context, std::string_view what) {
  if (context == nullptr) fail(ErrorKind::kUnavailable, "making a {}: out of memory", what);
  return context;
}

// Frames over this window are refused: a header of ten bytes must not make us allocate gigabytes.
constexpr int kMaxWindowLog = 27;  // 128 MiB, as the zstd program allows by default

}  // namespace

ZstdCompression make_zstd_compression() {
  return checked(ZstdCompression(ZSTD_createCCtx()), "zstd compressor");
}

ZstdDecompression make_zstd_decompression() {
  auto context = checked(ZstdDecompression(ZSTD_createDCtx()), "zstd decompressor");
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  return context;
}

Lz4Decompression make_lz4_decompression() {
  LZ4F_dctx* context = nullptr;
  LZ4F_createDecompressionContext(&context, LZ4F_VERSION);
  return checked(Lz4Decompression(context), "lz4 decompressor");
}

ZSTD_CCtx* thread_zstd_compression() {
  thread_local const ZstdCompression context = make_zstd_compression();
  ZSTD_CCtx_reset(context.get(), ZSTD_reset_session_only);
  return context.get();
}

ZSTD_DCtx* thread_zstd_decompression() {
  thread_local const ZstdDecompression context = make_zstd_decompression();
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_only);
  return context.get();
}

LZ4F_dctx* thread_lz4_decompression() {
  thread_local const Lz4Decompression context = make_lz4_decompression();
  LZ4F_resetDecompressionContext(context.get());
  return context.get();
}

}  // namespace headrace::codec
