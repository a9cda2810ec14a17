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

// Reads numbers off bytes that may be anything.
class PortableReader {
 public:
  explicit PortableReader(std::string_view bytes) : bytes_(bytes) {}

  uint32_t number(size_t size) {
    const std::string_view taken = take(size);
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) {
      value |= uint32_t{static_cast<uint8_t>(taken[i])} << (8 * i);
    }
    return value;
  }
  std::string_view take(size_t size) {
    if (bytes_.size() - used_ < size) {
      fail(ErrorKind::kCorrupt, "reading deletes: a bitmap ends too early");
    }
    used_ += size;
    return bytes_.substr(used_ - size, size);
  }
  size_t used() const { return used_; }

 private:
  std::string_view bytes_;
  size_t used_ = 0;
};

constexpr uint32_t kCookie = 12346;
constexpr uint32_t kCookieWithRuns = 12347;
constexpr uint32_t kMaxContainers = 1U << 16U;
constexpr uint32_t kMaxArray = 4096;
constexpr uint32_t kOffsetsFrom = 4;  // containers, in a bitmap with runs
constexpr size_t kBitsetBytes = 8192;

struct Container {
  uint32_t begin = 0;  // the smallest position that it may hold
  uint32_t count = 0;
  bool is_runs = false;
};

std::vector<Container> read_header(PortableReader& reader) {
  const uint32_t cookie = reader.number(4);
  const bool has_runs = (cookie & 0xFFFFU) == kCookieWithRuns;
  if (!has_runs && cookie != kCookie) {
    fail(ErrorKind::kCorrupt, "reading deletes: {} is no bitmap's beginning", cookie);
  }
  const uint32_t size = has_runs ? (cookie >> 16U) + 1 : reader.number(4);
  if (size > kMaxContainers) {
    fail(ErrorKind::kCorrupt, "reading deletes: a bitmap has {} containers", size);
  }
  const std::string_view runs = has_runs ? reader.take((size + 7) / 8) : std::string_view();
  std::vector<Container> containers(size);
  for (uint32_t i = 0; i < size; ++i) {
    containers[i].begin = reader.number(2) << 16U;
    containers[i].count = reader.number(2) + 1;
    containers[i].is_runs = has_runs && ((static_cast<uint8_t>(runs[i / 8]) >> (i % 8)) & 1U) != 0;
  }
  if (!has_runs || size >= kOffsetsFrom) reader.take(4UL * size);
  return containers;
}

void read_container(PortableReader& reader, const Container& container, Roaring& into) {
  if (container.is_runs) {
    for (uint32_t left = reader.number(2); left > 0; --left) {
      const uint64_t first = reader.number(2);
      const uint64_t last = first + reader.number(2);
      if (last > 0xFFFFU)
        fail(ErrorKind::kCorrupt, "reading deletes: a run of a bitmap is too long");
      into.addRange(container.begin + first, container.begin + last + 1);
    }
  } else if (container.count <= kMaxArray) {
    for (uint32_t i = 0; i < container.count; ++i) into.add(container.begin + reader.number(2));
  } else {
    const std::string_view bits = reader.take(kBitsetBytes);
    for (uint32_t i = 0; i < kBitsetBytes; ++i) {
      for (uint32_t byte = static_cast<uint8_t>(bits[i]), bit = 0; byte != 0; byte >>= 1U, ++bit) {
        if ((byte & 1U) != 0) into.add(container.begin + 8 * i + bit);
      }
    }
  }
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

int64_t RowPositions::count_below(int64_t position) const {
  if (position <= 0) return 0;
  return static_cast<int64_t>(bitmap_->positions.rank(checked(position - 1)));
}

RowPositions RowPositions::without(const RowPositions& others) const {
  RowPositions rest;
  rest.bitmap_->positions = bitmap_->positions - others.bitmap_->positions;
  return rest;
}

std::string RowPositions::to_portable() const {
  Roaring packed = bitmap_->positions;
  packed.runOptimize();
  std::string bytes(packed.getSizeInBytes(), '\0');
  packed.write(bytes.data());
  return bytes;
}

// The library's own reader trusts what the bytes say of themselves.
RowPositions RowPositions::from_portable(std::string_view bytes, size_t& used) {
  RowPositions positions;
  PortableReader reader(bytes);
  for (const Container& container : read_header(reader)) {
    read_container(reader, container, positions.bitmap_->positions);
  }
  used = reader.used();
  return positions;
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

size_t RowPositions::list_absent(int64_t first, size_t count, uint32_t* absent) const {
  if (count == 0) return 0;
  const int64_t last = first + static_cast<int64_t>(count) - 1;
  auto next = bitmap_->positions.begin();
  next.equalorlarger(checked(first));
  const auto end = bitmap_->positions.end();
  uint32_t at = 0;
  size_t listed = 0;
  for (; next != end && int64_t{*next} <= last; ++next) {
    const auto present = static_cast<uint32_t>(int64_t{*next} - first);
    while (at < present) absent[listed++] = at++;
    ++at;
  }
  while (at < count) absent[listed++] = at++;
  return listed;
}

}  // namespace headrace::lake
