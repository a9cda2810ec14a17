#include "lake/footprint.h"

#include <map>

namespace headrace::lake {
namespace {

// A node of a std::map beside its value: three pointers, the colour, and what the allocator adds.
constexpr size_t kNodeBytes = 48;

// Short texts lie within the string.
size_t beside(const std::string& text) { return text.capacity() > 15 ? text.capacity() + 1 : 0; }
size_t beside(const std::optional<std::string>& text) { return text ? beside(*text) : 0; }

size_t bytes_of_map(const std::map<int, int64_t>& map) {
  return map.size() * (kNodeBytes + sizeof(std::pair<const int, int64_t>));
}

size_t bytes_of_map(const std::map<int, std::string>& map) {
  size_t bytes = map.size() * (kNodeBytes + sizeof(std::pair<const int, std::string>));
  for (const auto& [id, text] : map) bytes += beside(text);
  return bytes;
}

}  // namespace

size_t footprint(const ManifestEntries& entries) {
  size_t bytes = sizeof(ManifestEntries);
  for (const ManifestEntry& entry : entries) {
    const DataFile& file = entry.file;
    const FileFigures& figures = *file.figures;
    bytes += sizeof(entry) + sizeof(figures) + beside(file.path) +
             beside(file.referenced_data_file) +
             file.partition.capacity() * sizeof(file.partition[0]) +
             figures.split_offsets.capacity() * sizeof(int64_t) +
             file.equality_ids.capacity() * sizeof(int);
    for (const auto& value : file.partition) bytes += beside(value);
    for (const auto* map : {&figures.column_sizes, &figures.value_counts,
                            &figures.null_value_counts, &figures.nan_value_counts}) {
      bytes += bytes_of_map(*map);
    }
    bytes += bytes_of_map(figures.lower_bounds) + bytes_of_map(figures.upper_bounds);
  }
  return bytes;
}

size_t footprint(const ManifestList& manifests) {
  size_t bytes = sizeof(ManifestList);
  for (const ManifestFile& manifest : manifests) {
    bytes += sizeof(manifest) + beside(manifest.path) +
             manifest.partitions.capacity() * sizeof(FieldSummary);
    for (const FieldSummary& field : manifest.partitions) {
      bytes += beside(field.lower_bound) + beside(field.upper_bound);
    }
  }
  return bytes;
}

}  // namespace headrace::lake
