// Rows of any bytes become JSON that parses, or stay as they are.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/json.h"
#include "sources/files/csv_rows.h"

namespace headrace::sources {
namespace {

class OneRow final : public RecordReader {
 public:
  explicit OneRow(std::string_view row) : row_(row) {}
  bool read(std::vector<FileRecord>& into) override {
    into.clear();
    if (done_) return false;
    done_ = true;
    into.push_back({row_, row_.size()});
    return true;
  }

 private:
  std::string_view row_;
  bool done_ = false;
};

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

}  // namespace
}  // namespace headrace::sources

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace headrace::sources;
  const std::string_view row(reinterpret_cast<const char*>(data), size);
  CsvRows rows(std::make_unique<OneRow>(row), CsvOptions{}, {"a", "b\""});
  std::vector<FileRecord> records;
  if (!rows.read(records) || records.size() != 1) std::abort();
  const std::string_view value = records[0].value;
  if (value == row || !is_ascii(row)) return 0;
  boost::system::error_code failure;
  boost::json::parse(value, failure);
  if (failure) std::abort();
  return 0;
}
