#pragma once

// Positions of rows in one data file, compressed (a Roaring bitmap). The bitmap's library stays
// behind this interface.
//
// Thread use: const methods from any thread while nobody changes it.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::lake {

class RowPositions {
 public:
  RowPositions();
  explicit RowPositions(const std::vector<int64_t>& positions);
  ~RowPositions();
  RowPositions(const RowPositions& other);
  RowPositions& operator=(const RowPositions& other);
  RowPositions(RowPositions&&) noexcept;
  RowPositions& operator=(RowPositions&&) noexcept;

  // Positions are from 0 to 2^32 − 1, more than the rows of any file; corrupt for others.
  void add(int64_t position);
  void add(const RowPositions& others);
  bool contains(int64_t position) const;
  int64_t count() const;
  std::vector<int64_t> sorted() const;
  // How many of them are smaller than `position`.
  int64_t count_below(int64_t position) const;
  // Of these, those that are not among the others.
  RowPositions without(const RowPositions& others) const;

  // Roaring's portable format (RoaringFormatSpec, 32 bits). Reading takes the bytes of one bitmap
  // off the front of `bytes` and says how many; corrupt when they are none.
  std::string to_portable() const;
  static RowPositions from_portable(std::string_view bytes, size_t& used);

  // Sets flags[i] to whether the row at positions[i] is not among these. Fast when the positions
  // follow each other, as those of a scan do.
  void mark_absent(const int64_t* positions, size_t count, bool* flags) const;
  // Of `count` positions from `first` on, those that are not among these, counted from `first`;
  // returns how many.
  size_t list_absent(int64_t first, size_t count, uint32_t* absent) const;

 private:
  struct Bitmap;
  std::unique_ptr<Bitmap> bitmap_;
};

using RowPositionsPtr = std::shared_ptr<const RowPositions>;

}  // namespace headrace::lake
