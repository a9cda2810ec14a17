#pragma once

// The settings of a files source: as structs here, as fields of sources/*.yaml in options.cc.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/fields.h"

namespace headrace::sources {

enum class FileFormat { kAuto, kNdjson, kCsv, kJson, kParquet, kText };
enum class FileCompression { kAuto, kNone, kGzip, kZstd };
enum class FilesMode { kOnce, kWatch };
enum class OnFault { kFail, kSkip };
enum class TimeOrigin { kNow, kFile };

config::Choices<FileFormat> choices_of(FileFormat);
config::Choices<FileCompression> choices_of(FileCompression);
config::Choices<FilesMode> choices_of(FilesMode);
config::Choices<OnFault> choices_of(OnFault);
config::Choices<TimeOrigin> choices_of(TimeOrigin);

struct CsvOptions {
  bool header = true;
  std::string delimiter = ",";  // one byte
  std::string quote = "\"";     // one byte
  std::optional<std::string> null_text;
  std::vector<std::string> columns;
  static config::Fields<CsvOptions> fields();
};

struct ReplayOptions {
  std::string time;
  double speed = 0;  // 0: as fast as possible
  static config::Fields<ReplayOptions> fields();
};

struct HeaderOptions {
  bool file = false;
  static config::Fields<HeaderOptions> fields();
};

struct WatchOptions {
  std::chrono::milliseconds poll{500};
  std::chrono::milliseconds settle{2000};
  std::chrono::milliseconds last_line_after{0};  // 0: never
  std::chrono::milliseconds forget_after = std::chrono::hours(24);
  int64_t max_files = 100'000;
  static config::Fields<WatchOptions> fields();
};

struct FilesOptions {
  std::string path;
  FileFormat format = FileFormat::kAuto;
  FileCompression compression = FileCompression::kAuto;
  FilesMode mode = FilesMode::kOnce;
  std::string key;
  std::string timestamp;
  TimeOrigin default_timestamp = TimeOrigin::kNow;
  HeaderOptions headers;
  CsvOptions csv;
  ReplayOptions replay;
  WatchOptions watch;
  OnFault on_oversize = OnFault::kFail;
  OnFault on_bad_file = OnFault::kFail;
  config::Bytes max_record_bytes{4 * 1024 * 1024};
  config::Bytes batch_bytes{1024 * 1024};
  config::Bytes max_in_flight_bytes{8 * 1024 * 1024};
  static config::Fields<FilesOptions> fields();
};

}  // namespace headrace::sources
