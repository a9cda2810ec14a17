// Foreign bytes as a record batch: no crash, no read outside, no error but corrupt. The checksum is
// put right first, so that the fuzzer gets past it.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "stream/batch_header.h"
#include "stream/segment_scan.h"

using namespace headrace;
using namespace headrace::stream;

namespace {

template <class Action>
void expect_corrupt_at_most(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kCorrupt) __builtin_trap();
  }
}

void decode_all(const std::string& bytes) {
  const Batch batch = decode_batch(bytes, nullptr);
  (void)batch.position();
  std::vector<RecordView> records;
  batch.records(records);
  for (const RecordView& record : records) (void)decode_headers(record);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  expect_corrupt_at_most([&] { decode_all(bytes); });
  expect_corrupt_at_most([&] {
    scan_segment(bytes, 0, 0, "fuzzed", [](const BatchHeader&, uint64_t, std::string_view) {});
  });
  if (const auto header = parse_batch_header(bytes)) {
    bytes.resize(header->total_bytes());
    write_checksum(bytes.data(), bytes.size());
    expect_corrupt_at_most([&] { decode_all(bytes); });
  }
  return 0;
}
