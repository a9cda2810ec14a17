// The hashes of the bucket transform as SQL functions. Each type is hashed as the specification's
// appendix "32-bit Hash Requirements" says.

#include "base/error.h"
#include "engine/functions.h"
#include "lake/murmur3.h"
#include "lake/single_value.h"
#include "lake/transform.h"

namespace headrace::lake {
namespace {

using HashedBytes = std::string (*)(std::string_view text);

int32_t hash_of(std::string_view bytes) { return static_cast<int32_t>(murmur3_x86_32(bytes)); }

class TextHash final : public engine::ScalarFunction {
 public:
  TextHash(std::string name, std::string parameter, HashedBytes to_bytes)
      : name_(std::move(name)), parameter_(std::move(parameter)), to_bytes_(to_bytes) {}
  std::string name() const override { return name_; }
  std::vector<std::string> parameter_types() const override { return {parameter_}; }
  std::string return_type() const override { return "INTEGER"; }
  void run(const engine::Chunk& arguments, engine::MutableVector& result) override {
    const engine::VectorView input = arguments.column(0);
    auto* output = result.data<int32_t>();
    for (size_t row = 0; row < arguments.rows(); ++row) {
      if (input.is_null(row)) {
        result.set_null(row);
      } else if (to_bytes_ == nullptr) {
        output[row] = hash_of(input.string(row));
      } else {
        output[row] = hash_of(to_bytes_(input.string(row)));
      }
    }
  }

 private:
  std::string name_;
  std::string parameter_;
  HashedBytes to_bytes_;  // nullptr: the bytes as they are
};

class LongHash final : public engine::ScalarFunction {
 public:
  std::string name() const override { return "headrace_murmur3_long"; }
  std::vector<std::string> parameter_types() const override { return {"BIGINT"}; }
  std::string return_type() const override { return "INTEGER"; }
  void run(const engine::Chunk& arguments, engine::MutableVector& result) override {
    const engine::VectorView input = arguments.column(0);
    auto* output = result.data<int32_t>();
    for (size_t row = 0; row < arguments.rows(); ++row) {
      if (input.is_null(row)) {
        result.set_null(row);
        continue;
      }
      const int64_t value = input.data<int64_t>()[row];
      output[row] = hash_of({reinterpret_cast<const char*>(&value), sizeof(value)});
    }
  }
};

std::string decimal_bytes(std::string_view text) {
  // Only the digits count: 14.20 hashes as the unscaled 1420.
  const size_t point = text.find('.');
  const int scale = point == std::string_view::npos ? 0 : static_cast<int>(text.size() - point - 1);
  return single_value_from_text(
      {.kind = TypeKind::kDecimal, .precision = 38, .scale = scale, .fields = {}}, text);
}

std::string uuid_bytes(std::string_view text) {
  return single_value_from_text(simple_type(TypeKind::kUuid), text);
}

}  // namespace

void register_transform_functions(engine::Database& database) {
  using engine::ScalarFunction;
  const std::shared_ptr<ScalarFunction> functions[] = {
      std::make_shared<LongHash>(),
      std::make_shared<TextHash>("headrace_murmur3_string", "VARCHAR", nullptr),
      std::make_shared<TextHash>("headrace_murmur3_binary", "BLOB", nullptr),
      std::make_shared<TextHash>("headrace_murmur3_decimal", "VARCHAR", decimal_bytes),
      std::make_shared<TextHash>("headrace_murmur3_uuid", "VARCHAR", uuid_bytes)};
  for (const auto& function : functions) database.register_function(function);
}

}  // namespace headrace::lake
