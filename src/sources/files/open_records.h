#pragma once

// Opens the reader that fits a file: its format, its compression, the position to go on from.

#include <functional>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "sources/files/options.h"
#include "sources/files/record_reader.h"

namespace headrace::sources {

// By suffix, before that of a compression, when `format` is kAuto: .csv and .tsv, .json, .parquet,
// .txt and .log, else NDJSON. `.json` is read as NDJSON too, when it is that: see open_records.
FileFormat format_of(const std::string& path, FileFormat format);

// True for files that can only be read once they are complete.
bool is_read_whole(const std::string& path, const FilesOptions& options);

struct OpenRequest {
  std::string path;                                      // as found, for messages and suffixes
  std::string full_path;                                 // on disk
  uint64_t position = 0;                                 // to go on from
  bool take_last_line = false;                           // although it has no newline
  std::function<void(uint64_t position)> skip_oversize;  // absent: oversize is an error
};

// `file` must outlive the reader. Nullptr when the file is shorter than the position.
std::unique_ptr<RecordReader> open_records(ReadFile& file, const OpenRequest& request,
                                           const FilesOptions& options);

}  // namespace headrace::sources
