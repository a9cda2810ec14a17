#include "codec/compression.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "codec/decompressor.h"

namespace headrace::codec {
namespace {

constexpr Codec kCodecs[] = {Codec::kNone, Codec::kGzip, Codec::kLz4, Codec::kZstd};
constexpr Codec kCompressing[] = {Codec::kGzip, Codec::kLz4, Codec::kZstd};

std::vector<std::string> samples() {
  std::mt19937_64 random(3);
  std::string noise(700'000, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  std::string text;
  while (text.size() < 3'000'000) {
    text += "{\"user\":" + std::to_string(random() % 1000) + ",\"page\":\"Main\"}\n";
  }
  return {"", "a", "hello, hello, hello", std::string(5'000'000, 'z'), noise, text};
}

ErrorKind kind_of_failure(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::kInternal;
}

// Feeds `compressed` in chunks and pulls into a buffer of the given size.
std::string stream(Codec codec, std::string_view compressed, size_t chunk_size, size_t buffer_size,
                   uint64_t limit = kNoLimit) {
  const auto decompressor = make_decompressor(codec, limit);
  std::string out;
  std::string buffer(buffer_size, '\0');
  while (!compressed.empty()) {
    const std::string_view chunk = compressed.substr(0, chunk_size);
    compressed.remove_prefix(chunk.size());
    decompressor->feed(chunk);
    while (const size_t size = decompressor->read(buffer.data(), buffer.size())) {
      out.append(buffer, 0, size);
    }
  }
  decompressor->finish();
  return out;
}

TEST(Compression, WholeBuffersComeBack) {
  for (const Codec codec : kCodecs) {
    for (const std::string& sample : samples()) {
      const std::string compressed = compress(codec, sample);
      EXPECT_EQ(decompress(codec, compressed, sample.size()).view(), sample)
          << name_of(codec) << " " << sample.size();
      EXPECT_EQ(decompress(codec, compressed, 100'000'000).view(), sample)
          << name_of(codec) << " " << sample.size();
    }
  }
}

TEST(Compression, AppendsToWhatIsThere) {
  for (const Codec codec : kCodecs) {
    std::string out = "before";
    compress(codec, "payload", out);
    ASSERT_EQ(out.substr(0, 6), "before");
    EXPECT_EQ(decompress(codec, std::string_view(out).substr(6), 100).view(), "payload");
  }
}

TEST(Compression, LevelsCompressHarder) {
  const std::string text = samples().back();
  EXPECT_LT(compress(Codec::kZstd, text, 12).size(), compress(Codec::kZstd, text, 1).size());
  EXPECT_LT(compress(Codec::kGzip, text, 9).size(), compress(Codec::kGzip, text, 1).size());
}

TEST(Compression, SeveralFramesAreOneContent) {
  for (const Codec codec : kCompressing) {
    const std::string both =
        compress(codec, "first,") + compress(codec, "") + compress(codec, "second");
    EXPECT_EQ(decompress(codec, both, 100).view(), "first,second") << name_of(codec);
    EXPECT_EQ(stream(codec, both, 1, 1), "first,second") << name_of(codec);
  }
}

TEST(Compression, RefusesMoreThanTheLimit) {
  const std::string zeros(50'000'000, '\0');
  for (const Codec codec : kCodecs) {
    const std::string bomb = compress(codec, zeros);
    EXPECT_EQ(kind_of_failure([&] { decompress(codec, bomb, zeros.size() - 1); }),
              ErrorKind::kInvalid)
        << name_of(codec);
    EXPECT_EQ(kind_of_failure([&] { stream(codec, bomb, 65536, 65536, 1'000'000); }),
              ErrorKind::kInvalid)
        << name_of(codec);
  }
}

TEST(Compression, SaysWhenTheDataIsCutShort) {
  const std::string text = "some text that is long enough to be cut anywhere, anywhere, anywhere";
  for (const Codec codec : kCompressing) {
    const std::string compressed = compress(codec, text);
    for (size_t size = 1; size < compressed.size(); ++size) {
      const std::string_view cut = std::string_view(compressed).substr(0, size);
      EXPECT_EQ(kind_of_failure([&] { decompress(codec, cut, 1000); }), ErrorKind::kCorrupt)
          << name_of(codec) << " cut at " << size;
      EXPECT_EQ(kind_of_failure([&] { stream(codec, cut, 7, 5); }), ErrorKind::kCorrupt)
          << name_of(codec) << " cut at " << size;
    }
  }
}

TEST(Compression, RefusesWhatIsNotOfTheFormat) {
  for (const Codec codec : kCompressing) {
    EXPECT_EQ(kind_of_failure([&] { decompress(codec, "plain text, as it came", 1000); }),
              ErrorKind::kCorrupt)
        << name_of(codec);
    EXPECT_EQ(
        kind_of_failure([&] { decompress(codec, compress(codec, "good") + "garbage!", 1000); }),
        ErrorKind::kCorrupt)
        << name_of(codec);
  }
}

// A changed byte may go unnoticed where the format has no checksum over it, but must neither crash
// nor pass the limit.
TEST(Compression, SurvivesAnyChangedByte) {
  const std::string text = "some text that is long enough to be cut anywhere, anywhere, anywhere";
  for (const Codec codec : kCompressing) {
    const std::string compressed = compress(codec, text);
    for (size_t at = 0; at < compressed.size() * 8; ++at) {
      std::string damaged = compressed;
      damaged[at / 8] = static_cast<char>(damaged[at / 8] ^ (1 << (at % 8)));
      try {
        EXPECT_LE(decompress(codec, damaged, 1000).size, 1000u);
      } catch (const Error& error) {
        EXPECT_TRUE(error.kind() == ErrorKind::kCorrupt || error.kind() == ErrorKind::kInvalid)
            << error.message();
      }
    }
  }
}

TEST(Decompressor, AnyChunkAndBufferSizeGivesTheSame) {
  const std::string text = samples().back().substr(0, 300'000);
  for (const Codec codec : kCodecs) {
    const std::string compressed = compress(codec, text);
    for (const size_t chunk : {1, 13, 4096, 1 << 20}) {
      for (const size_t buffer : {1, 777, 1 << 20}) {
        EXPECT_EQ(stream(codec, compressed, chunk, buffer), text)
            << name_of(codec) << " " << chunk << " " << buffer;
      }
    }
  }
}

TEST(Decompressor, ReadWithoutInputIsHarmless) {
  for (const Codec codec : kCodecs) {
    const std::string compressed = compress(codec, "abc");
    const auto decompressor = make_decompressor(codec);
    char buffer[16];
    for (int i = 0; i < 40; ++i) EXPECT_EQ(decompressor->read(buffer, sizeof buffer), 0u);
    decompressor->feed(std::string_view(compressed).substr(0, 2));
    size_t size = 0;
    for (int i = 0; i < 40; ++i) {
      size += decompressor->read(buffer + size, sizeof buffer - size);
    }
    decompressor->feed(std::string_view(compressed).substr(2));
    while (const size_t more = decompressor->read(buffer + size, sizeof buffer - size)) {
      size += more;
    }
    decompressor->finish();
    EXPECT_EQ(std::string_view(buffer, size), "abc") << name_of(codec);
  }
}

}  // namespace
}  // namespace headrace::codec
