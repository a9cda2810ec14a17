// Any bytes as a settings file: parsed, shown and read, without a crash and within the limits.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "config/fields.h"

namespace {

using headrace::config::Fields;
using headrace::config::Named;

struct Inner {
  std::chrono::milliseconds time{1};
  headrace::config::Bytes size{1};
  static Fields<Inner> fields() {
    return Fields<Inner>()
        .optional("time", &Inner::time, "", headrace::config::at_least(std::chrono::seconds(0)))
        .optional("size", &Inner::size, "");
  }
};

struct Outer {
  std::string name;
  double number = 0;
  int64_t count = 0;
  std::vector<Inner> list;
  std::vector<Named<std::string>> map;
  static Fields<Outer> fields() {
    return Fields<Outer>()
        .required("name", &Outer::name, "", headrace::config::not_empty())
        .optional("number", &Outer::number, "")
        .optional("count", &Outer::count, "", headrace::config::at_most(10))
        .optional("list", &Outer::list, "")
        .optional("map", &Outer::map, "")
        .exactly_one_of({"list", "map"});
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  headrace::config::YamlLimits limits;
  limits.max_bytes = 64 * 1024;
  limits.max_nodes = 5000;
  headrace::config::Problems problems;
  const auto document = headrace::config::parse_yaml(
      std::string_view(reinterpret_cast<const char*>(data), size), "fuzz.yaml", problems,
      headrace::config::no_environment(), limits);
  headrace::to_text(document.root().to_json());
  headrace::to_text(document.root().to_written_json());
  Outer::fields().to_json(Outer::fields().read(document.root(), problems));
  problems.to_text();
  return 0;
}
