#pragma once

// Puffin files: blobs and a footer that says where each lies and what it is (Iceberg's Puffin
// specification, version 1). Pure functions, any thread. Errors: corrupt when bytes break the
// format.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::lake {

inline constexpr const char* kDeletionVectorBlob = "deletion-vector-v1";

// What the footer says of one blob.
struct PuffinBlob {
  std::string type = {};
  std::vector<int> fields = {};  // ids of the columns that it is about
  int64_t snapshot_id = -1;      // −1: not known when the file was written
  int64_t sequence_number = -1;
  int64_t offset = 0;  // in the file
  int64_t length = 0;
  std::string codec = {};  // empty: not compressed
  std::map<std::string, std::string> properties = {};
};

// Puts a file together in memory. Life cycle: add() each blob, then finish() once. One thread.
class PuffinWriter {
 public:
  PuffinWriter();
  // `blob` as the footer is to say it; returns it with its place.
  PuffinBlob add(PuffinBlob blob, std::string_view bytes);
  std::string finish() &&;

 private:
  std::string bytes_;
  std::vector<PuffinBlob> blobs_;
};

// The end of a file that tells how large its footer is.
inline constexpr size_t kPuffinEndBytes = 12;
// By the last kPuffinEndBytes of a file: how many bytes at its end are the footer.
uint64_t puffin_footer_bytes(std::string_view end);
// The blobs that a footer tells of, in its order.
std::vector<PuffinBlob> read_puffin_footer(std::string_view footer);

}  // namespace headrace::lake
