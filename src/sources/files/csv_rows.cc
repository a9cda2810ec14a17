#include "sources/files/csv_rows.h"

#include "base/format.h"
#include "base/json.h"
#include "sources/record_fields.h"

namespace headrace::sources {
namespace {

// Bytes that are not UTF-8 pass through: the job judges them.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  size_t clean = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, clean, i - clean);
    clean = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += format("\\u{:04x}", c);
    }
  }
  out.append(text, clean, text.size() - clean);
  out += '"';
}

}  // namespace

bool CsvFields::parse(std::string_view row) {
  fields_.clear();
  unquoted_.clear();
  unquoted_.reserve(row.size());  // views into it must stay
  size_t at = 0;
  while (true) {
    if (at < row.size() && row[at] == quote_) {
      const size_t start = unquoted_.size();
      for (++at;; ++at) {
        const size_t quote = row.find(quote_, at);
        if (quote == std::string_view::npos) return false;
        unquoted_.append(row, at, quote - at);
        at = quote + 1;
        if (at >= row.size() || row[at] != quote_) break;
        unquoted_ += quote_;
      }
      if (at < row.size() && row[at] != delimiter_) return false;
      fields_.push_back({std::string_view(unquoted_).substr(start), true});
    } else {
      const size_t end = std::min(row.find(delimiter_, at), row.size());
      fields_.push_back({row.substr(at, end - at), false});
      at = end;
    }
    if (at >= row.size()) return true;
    ++at;  // the delimiter
  }
}

CsvRows::CsvRows(std::unique_ptr<RecordReader> rows, const CsvOptions& options,
                 std::vector<std::string> columns)
    : rows_(std::move(rows)),
      options_(options),
      parser_(options.delimiter.front(), options.quote.front()) {
  name_columns(columns);
}

void CsvRows::name_columns(const std::vector<std::string>& columns) {
  for (const std::string& column : columns) {
    std::string prefix = prefixes_.empty() ? "{" : ",";
    append_quoted(prefix, column);
    prefixes_.push_back(prefix + ":");
  }
}

bool CsvRows::read(std::vector<FileRecord>& into) {
  if (!rows_->read(into)) return false;
  json_.clear();
  ends_.clear();
  for (const FileRecord& row : into) {
    const size_t start = json_.size();
    if (!append_json(row.value)) {
      json_.resize(start);
      json_ += row.value;
    }
    ends_.push_back(json_.size());
  }
  json_.append(kRecordPadding, ' ');
  size_t start = 0;
  for (size_t i = 0; i < into.size(); ++i) {
    into[i].value = std::string_view(json_).substr(start, ends_[i] - start);
    start = ends_[i];
  }
  return true;
}

bool CsvRows::append_json(std::string_view row) {
  if (!parser_.parse(row)) return false;
  const std::vector<CsvFields::Field>& fields = parser_.fields();
  if (prefixes_.empty()) {
    std::vector<std::string> names;
    for (size_t i = 1; i <= fields.size(); ++i) names.push_back(format("c{}", i));
    name_columns(names);
  }
  if (fields.size() != prefixes_.size()) return false;
  for (size_t i = 0; i < fields.size(); ++i) {
    json_ += prefixes_[i];
    if (options_.null_text && !fields[i].quoted && fields[i].text == *options_.null_text) {
      json_ += "null";
    } else {
      append_quoted(json_, fields[i].text);
    }
  }
  json_ += '}';
  return true;
}

}  // namespace headrace::sources
