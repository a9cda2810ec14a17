#include "jobs/node_type.h"

namespace headrace::jobs::nodes::files {
namespace {

enum class Format { kJson, kCsv, kParquet };
config::Choices<Format> choices_of(Format) {
  return {{"json", Format::kJson, "an array of objects, or one object a line"},
          {"csv", Format::kCsv, "with a header line"},
          {"parquet", Format::kParquet}};
}

struct Settings {
  std::string path;
  Format format = Format::kJson;
  config::OrderedMap<std::string> columns;
};

class FilesNode final : public Node {
 public:
  explicit FilesNode(Settings settings) : settings_(std::move(settings)) {}

  std::optional<SourceNeed> source() const override {
    SourceNeed need;
    need.kind = SourceNeed::Kind::kFiles;
    need.path = settings_.path;
    need.reader = settings_.format == Format::kParquet ? "read_parquet"
                  : settings_.format == Format::kCsv   ? "read_csv"
                                                       : "read_json";
    if (!settings_.columns.empty()) {
      std::vector<std::string> columns;
      for (const auto& column : settings_.columns) {
        columns.push_back(engine::quote_literal(column.name) + ": " +
                          engine::quote_literal(column.value));
      }
      need.reader_options = format(", columns = {{{}}}", join(columns, ", "));
    }
    return need;
  }

  std::string compile(const CompileContext&) const override { return ""; }

 private:
  Settings settings_;
};

}  // namespace

NodeType describe() {
  return make_node_type<FilesNode>(
      "files",
      "Reads files: new ones when it drives the job, all of them as the static side of a join, "
      "again when they "
      "change.",
      "{type: files, path: data/countries.json, format: json}",
      config::Fields<Settings>()
          .required("path", &Settings::path,
                    "the files, with * and ** as wildcards, seen from the project folder",
                    config::not_empty(), config::example("data/countries.json"))
          .optional("format", &Settings::format, "what is in the files")
          .optional("columns", &Settings::columns,
                    "names and SQL types of the columns of JSON or CSV; found by looking at the "
                    "data when left out",
                    config::example("{code: varchar, population: bigint}")));
}

}  // namespace headrace::jobs::nodes::files
