#include "sources/files/open_records.h"

#include "base/error.h"
#include "sources/files/byte_stream.h"
#include "sources/files/csv_rows.h"
#include "sources/files/parquet_rows.h"
#include "sources/files/stream_reader.h"

namespace headrace::sources {
namespace {

StreamReaderOptions reader_options(const OpenRequest& request, const FilesOptions& options) {
  return {request.path, static_cast<size_t>(options.max_record_bytes.count), request.skip_oversize};
}

// The first row of the file and the position behind it.
std::vector<std::string> read_header(ReadFile& file, const OpenRequest& request,
                                     const FilesOptions& options, uint64_t& behind) {
  StreamReader rows(open_byte_stream(file, request.path, options.compression),
                    make_csv_splitter(options.csv.delimiter.front(), options.csv.quote.front(),
                                      !request.take_last_line),
                    {request.path, static_cast<size_t>(options.max_record_bytes.count), nullptr});
  std::vector<FileRecord> records;
  std::vector<std::string> columns;
  if (!rows.read(records)) return columns;
  behind = records.front().end;
  CsvFields parser(options.csv.delimiter.front(), options.csv.quote.front());
  std::string_view header = records.front().value;
  if (header.starts_with("\xEF\xBB\xBF")) header.remove_prefix(3);  // a byte order mark
  if (!parser.parse(header)) {
    fail(ErrorKind::kInvalid, "reading {}: the quotes of the header line do not match",
         request.path);
  }
  for (const CsvFields::Field& field : parser.fields()) columns.emplace_back(field.text);
  return columns;
}

std::unique_ptr<RecordReader> open_csv(ReadFile& file, const OpenRequest& request,
                                       const FilesOptions& options) {
  uint64_t position = request.position;
  std::vector<std::string> columns = options.csv.columns;
  if (options.csv.header) {
    uint64_t behind = 0;
    std::vector<std::string> names = read_header(file, request, options, behind);
    if (columns.empty()) columns = std::move(names);
    position = std::max(position, behind);
  }
  auto stream = open_byte_stream(file, request.path, options.compression);
  if (!stream->skip_to(position)) return nullptr;
  auto rows = std::make_unique<StreamReader>(
      std::move(stream),
      make_csv_splitter(options.csv.delimiter.front(), options.csv.quote.front(),
                        !request.take_last_line),
      reader_options(request, options));
  return std::make_unique<CsvRows>(std::move(rows), options.csv, std::move(columns));
}

// A position inside the file stands behind an element; whether that is one of an array shows at the
// file's first byte.
bool starts_with_array(ByteStream& stream) {
  char c = ' ';
  while (stream.read(&c, 1) == 1) {
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') return c == '[';
  }
  return false;
}

std::unique_ptr<RecordReader> open_json(ReadFile& file, const OpenRequest& request,
                                        const FilesOptions& options) {
  auto stream = open_byte_stream(file, request.path, options.compression);
  bool inside_array = false;
  if (request.position > 0) {
    inside_array = starts_with_array(*stream);
    if (!stream->skip_to(request.position)) return nullptr;
  }
  return std::make_unique<StreamReader>(std::move(stream), make_json_splitter(inside_array),
                                        reader_options(request, options));
}

}  // namespace

FileFormat format_of(const std::string& path, FileFormat format) {
  if (format != FileFormat::kAuto) return format;
  std::string_view name = path;
  if (name.ends_with(".gz")) name.remove_suffix(3);
  if (name.ends_with(".zst")) name.remove_suffix(4);
  if (name.ends_with(".csv") || name.ends_with(".tsv")) return FileFormat::kCsv;
  if (name.ends_with(".json")) return FileFormat::kJson;
  if (name.ends_with(".parquet")) return FileFormat::kParquet;
  if (name.ends_with(".txt") || name.ends_with(".log")) return FileFormat::kText;
  return FileFormat::kNdjson;
}

bool is_read_whole(const std::string& path, const FilesOptions& options) {
  const FileFormat format = format_of(path, options.format);
  return format == FileFormat::kJson || format == FileFormat::kParquet ||
         compression_of(path, options.compression) != FileCompression::kNone;
}

std::unique_ptr<RecordReader> open_records(ReadFile& file, const OpenRequest& request,
                                           const FilesOptions& options) {
  switch (format_of(request.path, options.format)) {
    case FileFormat::kCsv:
      return open_csv(file, request, options);
    case FileFormat::kJson:
      return open_json(file, request, options);
    case FileFormat::kParquet:
      return open_parquet_rows(request.full_path, request.position);
    default:
      break;
  }
  const bool is_text = format_of(request.path, options.format) == FileFormat::kText;
  auto stream = open_byte_stream(file, request.path, options.compression);
  if (!stream->skip_to(request.position)) return nullptr;
  return std::make_unique<StreamReader>(std::move(stream),
                                        make_line_splitter(!is_text, !request.take_last_line),
                                        reader_options(request, options));
}

}  // namespace headrace::sources
