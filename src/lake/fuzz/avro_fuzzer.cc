// Any bytes as a manifest, a manifest list, and table metadata: refused with an Error or read,
// never a crash or an endless loop.

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "lake/manifest.h"

namespace {

template <class Action>
void read(Action action) {
  try {
    action();
  } catch (const headrace::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace headrace::lake;
  static const Schema schema = make_schema({{"id", "BIGINT"}, {"day", "DATE"}});
  static const PartitionSpec spec{0, {parse_partition_field("day", schema, 1000)}};
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read([&] { read_manifest(bytes, {}, schema, spec); });
  read([&] { read_manifest_list(bytes); });
  read([&] { table_metadata_from_json(headrace::parse_json(bytes, "input")); });
  return 0;
}
