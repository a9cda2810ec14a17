#include <gtest/gtest.h>

#include "config/fields.h"

namespace headrace::config {
namespace {

enum class ReadMode { kOnce, kWatch };
Choices<ReadMode> choices_of(ReadMode) {
  return {{"once", ReadMode::kOnce, "read and end"}, {"watch", ReadMode::kWatch}};
}

struct Csv {
  bool header = true;
  char delimiter = ',';
  static Fields<Csv> fields() {
    return Fields<Csv>()
        .optional("header", &Csv::header, "is the first line a header?")
        .optional("delimiter", &Csv::delimiter, "between fields");
  }
};

struct Source {
  std::string path;
  ReadMode mode = ReadMode::kOnce;
  int64_t rows = 1000;
  std::chrono::milliseconds wait{250};
  std::optional<std::string> key;
  std::vector<std::string> columns;
  Csv csv;
  static Fields<Source> fields() {
    return Fields<Source>()
        .required("path", &Source::path, "which files", example("data/*.csv"), not_empty())
        .optional("mode", &Source::mode, "when to end")
        .optional("rows", &Source::rows, "at once", unit("rows"), at_least(1), at_most(5000))
        .optional("wait", &Source::wait, "at most | at least", at_least(std::chrono::seconds(0)))
        .optional("key", &Source::key, "field of the key")
        .optional("columns", &Source::columns, "to read")
        .optional("csv", &Source::csv, "of CSV files")
        .at_most_one_of({"key", "columns"});
  }
};

TEST(Reference, TableHasARowForEachField) {
  EXPECT_EQ(Source::fields().markdown(), R"(| Field | Type | Default | Meaning |
|---|---|---|---|
| `path` | text | required | which files. Example: `data/*.csv` |
| `mode` | one of once, watch | `once` | when to end. `once`: read and end |
| `rows` | whole number | `1000` | at once. Unit: rows. Range: from 1 to 5000 |
| `wait` | duration | `250ms` | at most \| at least. Range: from 0ms |
| `key` | text |  | field of the key |
| `columns` | list of text |  | to read |
| `csv` | map |  | of CSV files |
| `csv.header` | true or false | `true` | is the first line a header? |
| `csv.delimiter` | text | `,` | between fields |

Needs at most one of 'key', 'columns'.
)");
}

TEST(Reference, ExampleShowsDefaultsAsComments) {
  EXPECT_EQ(Source::fields().example_yaml(), R"(# which files
path: data/*.csv
# when to end
# mode: once
# at once
# rows: 1000
# at most | at least
# wait: 250ms
# field of the key
# key: ""
# to read
# columns: []
# of CSV files
csv:
  # is the first line a header?
  # header: true
  # between fields
  # delimiter: ","
)");
}

TEST(Reference, ExampleIsRightWithAndWithoutTheComments) {
  std::string text = Source::fields().example_yaml();
  for (const bool uncommented : {false, true}) {
    Problems problems;
    const Source source =
        Source::fields().read(parse_yaml(text, "x.yaml", problems).root(), problems);
    EXPECT_EQ(problems.to_text(), uncommented ? "x.yaml:2:1: needs at most one of 'key', "
                                                "'columns'; found 'key', 'columns'\n"
                                              : "");
    EXPECT_EQ(source.rows, 1000);
    EXPECT_EQ(source.csv.delimiter, ',');
    for (const char* name : {"mode", "rows", "wait", "key", "columns", "header", "delimiter"}) {
      const std::string commented = format("# {}:", name);
      const size_t at = text.find(commented);
      if (at != std::string::npos) text.replace(at, 2, "");
    }
  }
}

TEST(Reference, SchemaDescribesEveryField) {
  const Json schema = Source::fields().json_schema("A source");
  EXPECT_EQ(string_member(schema, "$schema"), "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(to_text(member(schema, "required")), R"(["path"])");
  EXPECT_FALSE(member(schema, "additionalProperties").get_bool());
  const Json& properties = member(schema, "properties");
  EXPECT_EQ(to_text(member(member(properties, "mode"), "enum")), R"(["once","watch"])");
  const Json& rows = member(member(properties, "rows"), "anyOf").get_array().at(0);
  EXPECT_EQ(integer_member(rows, "minimum"), 1);
  EXPECT_EQ(integer_member(rows, "maximum"), 5000);
  EXPECT_EQ(integer_member(member(properties, "path"), "minLength"), 1);
  EXPECT_EQ(string_member(member(properties, "csv"), "type"), "object");
  EXPECT_EQ(string_member(member(properties, "csv"), "description"), "of CSV files");
  EXPECT_EQ(member(schema, "allOf").get_array().size(), 1U);
}

}  // namespace
}  // namespace headrace::config
