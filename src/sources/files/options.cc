#include "sources/files/options.h"

namespace headrace::sources {
namespace {

std::string check_one_byte(const std::string& value) {
  if (value.size() == 1 && value != "\n" && value != "\r") return "";
  return "must be one ASCII character and no line end";
}

void check_csv(const CsvOptions& options, const config::Node& node, config::Problems& problems) {
  if (options.delimiter == options.quote) {
    problems.add(node, "delimiter and quote must differ");
  }
}

void check_files(const FilesOptions& options, const config::Node& node,
                 config::Problems& problems) {
  if (options.batch_bytes.count > options.max_in_flight_bytes.count) {
    problems.add(node.find_or_self("batch_bytes"),
                 "batch_bytes must not be larger than max_in_flight_bytes");
  }
  if (options.mode == FilesMode::kOnce && node.find("watch")) {
    problems.add_at_key(node.find_or_self("watch"), "watch has no effect in mode once",
                        "set mode: watch, or remove it");
  }
}

}  // namespace

config::Choices<FileFormat> choices_of(FileFormat) {
  return {{"auto", FileFormat::kAuto, "by the file's suffix; NDJSON when it says nothing"},
          {"ndjson", FileFormat::kNdjson, "one JSON value a line"},
          {"csv", FileFormat::kCsv, "rows as RFC 4180 has them, each becomes a JSON object"},
          {"json", FileFormat::kJson, "arrays, whose elements are the records, or values"},
          {"parquet", FileFormat::kParquet, "each row becomes a JSON object"},
          {"text", FileFormat::kText, "each line is a record"}};
}

config::Choices<FileCompression> choices_of(FileCompression) {
  return {{"auto", FileCompression::kAuto, "by the suffix: .gz, .zst"},
          {"none", FileCompression::kNone},
          {"gzip", FileCompression::kGzip},
          {"zstd", FileCompression::kZstd}};
}

config::Choices<FilesMode> choices_of(FilesMode) {
  return {{"once", FilesMode::kOnce, "read what is there and end"},
          {"watch", FilesMode::kWatch, "go on with new files and files that grow"}};
}

config::Choices<OnFault> choices_of(OnFault) {
  return {{"fail", OnFault::kFail, "the source stops and says where"},
          {"skip", OnFault::kSkip, "it is left out, counted and logged"}};
}

config::Choices<TimeOrigin> choices_of(TimeOrigin) {
  return {{"now", TimeOrigin::kNow, "when it was read"},
          {"file", TimeOrigin::kFile, "when its file was last changed"}};
}

config::Fields<CsvOptions> CsvOptions::fields() {
  return config::Fields<CsvOptions>()
      .optional("header", &CsvOptions::header, "whether the first row names the columns")
      .optional("delimiter", &CsvOptions::delimiter, "between fields",
                config::check(check_one_byte))
      .optional("quote", &CsvOptions::quote, "around fields; doubled within them",
                config::check(check_one_byte))
      .optional("null_text", &CsvOptions::null_text,
                "a field without quotes that reads so becomes null")
      .optional("columns", &CsvOptions::columns,
                "names of the columns, before those of the header; without either c1, c2, …",
                config::example("[id, name]"))
      .check(check_csv);
}

config::Fields<ReplayOptions> ReplayOptions::fields() {
  return config::Fields<ReplayOptions>()
      .required("time", &ReplayOptions::time, "field by whose time the records are paced",
                config::not_empty(), config::example("time"))
      .optional("speed", &ReplayOptions::speed, "times real speed; 0 is as fast as possible",
                config::at_least(0), config::example("100"));
}

config::Fields<HeaderOptions> HeaderOptions::fields() {
  return config::Fields<HeaderOptions>().optional("file", &HeaderOptions::file,
                                                  "a header `file` with the path of its file");
}

config::Fields<WatchOptions> WatchOptions::fields() {
  return config::Fields<WatchOptions>()
      .optional("poll", &WatchOptions::poll, "how often the folders are looked at",
                config::at_least(std::chrono::milliseconds(10)))
      .optional("settle", &WatchOptions::settle,
                "a compressed, JSON or Parquet file is read when unchanged for so long",
                config::at_least(std::chrono::milliseconds(0)))
      .optional("last_line_after", &WatchOptions::last_line_after,
                "take a last line without a newline when unchanged for so long; 0 is never",
                config::at_least(std::chrono::milliseconds(0)))
      .optional("forget_after", &WatchOptions::forget_after,
                "a file that is gone for so long is a new one when it comes back",
                config::at_least(std::chrono::milliseconds(0)))
      .optional("max_files", &WatchOptions::max_files,
                "files kept track of; more than that are not taken up", config::at_least(1),
                config::at_most(1'000'000));
}

config::Fields<FilesOptions> FilesOptions::fields() {
  return config::Fields<FilesOptions>()
      .required("path", &FilesOptions::path,
                "the files: *, ? and [a-z] in names, ** for any folders; starts at the project",
                config::not_empty(), config::example("data/**/*.ndjson"))
      .optional("format", &FilesOptions::format, "how records stand in the files")
      .optional("compression", &FilesOptions::compression, "of the files")
      .optional("mode", &FilesOptions::mode, "whether to end or to go on")
      .optional("key", &FilesOptions::key,
                "field (name or JSON pointer) whose text becomes the record's key",
                config::example("/user/id"))
      .optional("timestamp", &FilesOptions::timestamp,
                "field (name or JSON pointer) that becomes the record's time: ISO 8601 or a number "
                "since 1970",
                config::example("time"))
      .optional("default_timestamp", &FilesOptions::default_timestamp,
                "the time of records that have none")
      .optional("headers", &FilesOptions::headers, "headers added to each record")
      .optional("csv", &FilesOptions::csv, "how CSV is written")
      .optional("replay", &FilesOptions::replay, "send records at the pace of a time in them")
      .optional("watch", &FilesOptions::watch, "settings of mode watch")
      .optional("on_oversize", &FilesOptions::on_oversize,
                "what to do with a record longer than max_record_bytes")
      .optional("on_bad_file", &FilesOptions::on_bad_file,
                "what to do with the rest of a file that breaks its format or compression")
      .optional("max_record_bytes", &FilesOptions::max_record_bytes, "longest record",
                config::at_least(config::Bytes{1}), config::at_most(config::Bytes{8 * 1024 * 1024}))
      .optional("batch_bytes", &FilesOptions::batch_bytes,
                "records are appended in batches of about that, before compression",
                config::at_least(config::Bytes{1}), config::at_most(config::Bytes{4 * 1024 * 1024}))
      .optional("max_in_flight_bytes", &FilesOptions::max_in_flight_bytes,
                "records read and not yet durable", config::at_least(config::Bytes{1}),
                config::at_most(config::Bytes{256 * 1024 * 1024}))
      .read_elsewhere({"name", "type", "topic"})
      .check(check_files);
}

}  // namespace headrace::sources
