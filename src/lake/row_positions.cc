#include "lake/row_positions.h"

#include <algorithm>
#include <roaring/roaring.hh>

#include "base/error.h"

// The class moved into a namespace of this name in later versions of the library.
namespace roaring {}
using namespace roaring;  // NOLINT(google-build-using-namespace)

namespace headrace::lake {
namespace {

uint32_t checked(int64_t position) {
  if (position >= 0 && position <= int64_t{UINT32_MAX}) return static_cast<uint32_t>(position);
  fail(ErrorKind::kCorrupt, "reading deletes: {} is no position of a row in a file", position);
}

}  // namespace

struct RowPositions::Bitmap {
  Roaring positions;
};

RowPositions::RowPositions() : bitmap_(std::make_unique<Bitmap>()) {}

RowPositions::RowPositions(const std::vector<int64_t>& positions) : RowPositions() {
  for (const int64_t position : positions) add(position);
}

RowPositions::~RowPositions() = default;

RowPositions::RowPositions(const RowPositions& other)
    : bitmap_(std::make_unique<Bitmap>(*other.bitmap_)) {}

RowPositions& RowPositions::operator=(const RowPositions& other) {
  if (this != &other) bitmap_ = std::make_unique<Bitmap>(*other.bitmap_);
  return *this;
}

RowPositions::RowPositions(RowPositions&&) noexcept = default;
RowPositions& RowPositions::operator=(RowPositions&&) noexcept = default;

void RowPositions::add(int64_t position) { bitmap_->positions.add(checked(position)); }

void RowPositions::add(const RowPositions& others) {
  bitmap_->positions |= others.bitmap_->positions;
}

bool RowPositions::contains(int64_t position) const {
  return position >= 0 && position <= int64_t{UINT32_MAX} &&
         bitmap_->positions.contains(static_cast<uint32_t>(position));
}

int64_t RowPositions::count() const {
  return static_cast<int64_t>(bitmap_->positions.cardinality());
}

std::vector<int64_t> RowPositions::sorted() const {
  std::vector<uint32_t> narrow(bitmap_->positions.cardinality());
  bitmap_->positions.toUint32Array(narrow.data());
  return {narrow.begin(), narrow.end()};
}

void RowPositions::mark_absent(const int64_t* positions, size_t count, bool* flags) const {
  if (count == 0) return;
  const bool follow_each_other =
      positions[count - 1] - positions[0] == static_cast<int64_t>(count) - 1 &&
      std::is_sorted(positions, positions + count);
  if (!follow_each_other) {
    for (size_t i = 0; i < count; ++i) flags[i] = !contains(positions[i]);
    return;
  }
  std::fill_n(flags, count, true);
  auto next = bitmap_->positions.begin();
  next.equalorlarger(checked(positions[0]));
  const auto end = bitmap_->positions.end();
  for (; next != end && int64_t{*next} <= positions[count - 1]; ++next) {
    flags[int64_t{*next} - positions[0]] = false;
  }
}

}  // namespace headrace::lake
