#include "lake/delete_function.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <mutex>

#include "base/error.h"
#include "base/once.h"
#include "engine/functions.h"
#include "lake/delete_reader.h"
#include "lake/delete_set.h"

namespace headrace::lake {
namespace {

size_t number_at(const char*& at, const char* end) {
  size_t number = 0;
  const auto [next, error] = std::from_chars(at, end, number);
  if (error != std::errc{}) {
    fail(ErrorKind::kInternal, "reading a list of files: '{}' is no number",
         std::string_view(at, static_cast<size_t>(end - at)));
  }
  at = next;
  return number;
}

// What one query knows of the deleted rows of the files that it scans.
class ScanDeletes {
 public:
  ScanDeletes(std::shared_ptr<DeleteSet> set, std::vector<size_t> numbers, int64_t version)
      : set_(std::move(set)), version_(version), numbers_(std::move(numbers)) {
    files_ = std::vector<File>(numbers_.size());
  }

  const RowPositions* of(uint64_t index, DeleteReader& reader) {
    if (index >= files_.size()) {
      fail(ErrorKind::kInternal, "reading deletes: the scan has no file {}", index);
    }
    File& file = files_[index];
    file.once.run(
        [&] { file.positions = set_->deleted(numbers_[index], version_, reader.loader()); });
    return file.positions.get();
  }

 private:
  struct File {
    Once once;
    RowPositionsPtr positions;
  };
  const std::shared_ptr<DeleteSet> set_;
  const int64_t version_;
  const std::vector<size_t> numbers_;
  std::vector<File> files_;
};

class LiveFunction final : public engine::PlannedFunction {
 public:
  explicit LiveFunction(engine::Database& database) : reader_(database) {}

  std::string name() const override { return "headrace_live"; }
  std::vector<std::string> parameter_types() const override {
    return {"BIGINT", "VARCHAR", "BIGINT", "UBIGINT", "BIGINT"};
  }
  std::string return_type() const override { return "BOOLEAN"; }

  std::shared_ptr<void> plan(const engine::ConstantArguments& constants) override {
    const auto integer = [&](size_t index) {
      const std::string text = constants.at(index).value_or("");
      int64_t value = 0;
      if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
        fail(ErrorKind::kInternal, "headrace_live: argument {} is no constant number", index + 1);
      }
      return value;
    };
    return std::make_shared<ScanDeletes>(DeleteSet::find(integer(0)),
                                         from_ranges(constants.at(1).value_or("")), integer(2));
  }

  void run_planned(const engine::Chunk& arguments, engine::MutableVector& result,
                   void* planned) override {
    ScanDeletes& deletes = *static_cast<ScanDeletes*>(planned);
    const auto* files = arguments.column(3).data<uint64_t>();
    const auto* positions = arguments.column(4).data<int64_t>();
    bool* flags = result.data<bool>();
    // Rows come file by file.
    for (size_t begin = 0; begin < arguments.rows();) {
      size_t end = begin + 1;
      while (end < arguments.rows() && files[end] == files[begin]) ++end;
      if (const RowPositions* deleted = deletes.of(files[begin], reader_)) {
        deleted->mark_absent(positions + begin, end - begin, flags + begin);
      } else {
        std::fill(flags + begin, flags + end, true);
      }
      begin = end;
    }
  }

 private:
  DeleteReader reader_;
};

}  // namespace

std::string to_ranges(const std::vector<size_t>& numbers) {
  std::string text;
  for (size_t i = 0; i < numbers.size();) {
    size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += last == i ? format("{}", numbers[i]) : format("{}-{}", numbers[i], numbers[last]);
    i = last + 1;
  }
  return text;
}

std::vector<size_t> from_ranges(const std::string& text) {
  std::vector<size_t> numbers;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end) {
    const size_t first = number_at(at, end);
    size_t last = first;
    if (at < end && *at == '-') last = number_at(++at, end);
    for (size_t number = first; number <= last; ++number) numbers.push_back(number);
    if (at == end) break;
    if (*at != ',') fail(ErrorKind::kInternal, "reading a list of files: '{}' is none", text);
    ++at;
  }
  return numbers;
}

void register_delete_function(engine::Database& database) {
  database.register_function(std::make_shared<LiveFunction>(database));
}

}  // namespace headrace::lake
