#include "lake/puffin.h"

#include "base/error.h"
#include "base/json.h"
#include "codec/compression.h"

namespace headrace::lake {
namespace {

constexpr std::string_view kPuffinMagic = "PFA1";
constexpr size_t kMaxPayloadBytes = size_t{64} << 20U;
constexpr uint32_t kCompressedFlag = 1;

[[noreturn]] void corrupt_puffin(std::string_view why) {
  fail(ErrorKind::kCorrupt, "reading a Puffin file: {}", why);
}

uint32_t word_of(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = 0; i < sizeof(value); ++i) {
    value |= uint32_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  }
  return value;
}

void append_word(std::string& into, uint32_t value) {
  for (size_t i = 0; i < sizeof(value); ++i) into += static_cast<char>(value >> (8 * i));
}

JsonObject to_json(const PuffinBlob& blob) {
  JsonObject properties;
  for (const auto& [key, value] : blob.properties) properties[key] = value;
  JsonObject object{{"type", blob.type},
                    {"fields", JsonArray(blob.fields.begin(), blob.fields.end())},
                    {"snapshot-id", blob.snapshot_id},
                    {"sequence-number", blob.sequence_number},
                    {"offset", blob.offset},
                    {"length", blob.length},
                    {"properties", std::move(properties)}};
  if (!blob.codec.empty()) object["compression-codec"] = blob.codec;
  return object;
}

PuffinBlob blob_from_json(const Json& json) {
  PuffinBlob blob;
  blob.type = string_member(json, "type");
  const Json& fields = member(json, "fields");
  if (!fields.is_array()) corrupt_puffin("the fields of a blob are no array");
  for (const Json& field : fields.get_array()) {
    if (!field.is_int64()) corrupt_puffin("a field of a blob is no integer");
    blob.fields.push_back(static_cast<int>(field.get_int64()));
  }
  blob.snapshot_id = integer_member(json, "snapshot-id");
  blob.sequence_number = integer_member(json, "sequence-number");
  blob.offset = integer_member(json, "offset");
  blob.length = integer_member(json, "length");
  blob.codec = string_member_or(json, "compression-codec", "");
  if (const Json* properties = find_member(json, "properties")) {
    if (!properties->is_object()) corrupt_puffin("the properties of a blob are no object");
    for (const auto& [key, value] : properties->get_object()) {
      if (!value.is_string()) corrupt_puffin("a property of a blob is no text");
      blob.properties[std::string(key)] = std::string(value.get_string());
    }
  }
  return blob;
}

std::vector<PuffinBlob> blobs_of(std::string_view payload) {
  try {
    const Json json = parse_json(payload, "the footer");
    const Json& list = member(json, "blobs");
    if (!list.is_array()) corrupt_puffin("its footer has no array of blobs");
    std::vector<PuffinBlob> blobs;
    for (const Json& entry : list.get_array()) blobs.push_back(blob_from_json(entry));
    return blobs;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCorrupt) throw;
    corrupt_puffin(error.message());
  }
}

}  // namespace

PuffinWriter::PuffinWriter() : bytes_(kPuffinMagic) {}

PuffinBlob PuffinWriter::add(PuffinBlob blob, std::string_view bytes) {
  blob.offset = static_cast<int64_t>(bytes_.size());
  blob.length = static_cast<int64_t>(bytes.size());
  bytes_ += bytes;
  blobs_.push_back(blob);
  return blob;
}

std::string PuffinWriter::finish() && {
  JsonArray blobs;
  for (const PuffinBlob& blob : blobs_) blobs.push_back(to_json(blob));
  const std::string payload = to_text(JsonObject{
      {"blobs", std::move(blobs)}, {"properties", JsonObject{{"created-by", "headrace"}}}});
  bytes_ += kPuffinMagic;
  bytes_ += payload;
  append_word(bytes_, static_cast<uint32_t>(payload.size()));
  append_word(bytes_, 0);
  bytes_ += kPuffinMagic;
  return std::move(bytes_);
}

uint64_t puffin_footer_bytes(std::string_view end) {
  if (end.size() != kPuffinEndBytes || !end.ends_with(kPuffinMagic))
    corrupt_puffin("it does not end as one");
  const uint32_t payload = word_of(end);
  if (payload > kMaxPayloadBytes) corrupt_puffin("its footer is too large");
  return kPuffinMagic.size() + payload + kPuffinEndBytes;
}

std::vector<PuffinBlob> read_puffin_footer(std::string_view footer) {
  if (footer.size() < kPuffinMagic.size() + kPuffinEndBytes ||
      puffin_footer_bytes(footer.substr(footer.size() - kPuffinEndBytes)) != footer.size() ||
      !footer.starts_with(kPuffinMagic)) {
    corrupt_puffin("its footer is cut short");
  }
  const std::string_view payload =
      footer.substr(kPuffinMagic.size(), footer.size() - kPuffinMagic.size() - kPuffinEndBytes);
  const uint32_t flags = word_of(footer.substr(footer.size() - 8, 4));
  if ((flags & ~kCompressedFlag) != 0) corrupt_puffin("its footer has flags that are not known");
  if (flags == 0) return blobs_of(payload);
  try {
    return blobs_of(codec::decompress(codec::Codec::kLz4, payload, kMaxPayloadBytes).view());
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kCorrupt) throw;
    corrupt_puffin(error.message());
  }
}

}  // namespace headrace::lake
