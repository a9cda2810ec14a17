#include "base/error.h"
#include "jobs/node_type.h"
#include "jobs/parse/record_parser.h"

namespace headrace::jobs::parse {

static config::Choices<OnConflict> choices_of(OnConflict) {
  return {{"split", OnConflict::kSplit,
           "the value goes into a column beside it, named after its type: `size__varchar`"},
          {"text", OnConflict::kText,
           "the value goes, as its text, into one column beside it: `size__varchar`"},
          {"cast", OnConflict::kCast,
           "the value is cast to the column's type when it says the same there (\"12\" is 12), "
           "else its "
           "record becomes a dead letter"},
          {"reject", OnConflict::kReject, "the record becomes a dead letter"}};
}

}  // namespace headrace::jobs::parse

namespace headrace::jobs::nodes::parse {
namespace {

enum class Format { kJson, kCsv, kText };
config::Choices<Format> choices_of(Format) {
  return {{"json", Format::kJson, "each record is one JSON object"},
          {"csv", Format::kCsv, "each record is one line, its fields in the order of `fields`"},
          {"text", Format::kText, "each record is a line of text, taken apart by `pattern`"}};
}

enum class OnError { kDeadLetter, kNull };
config::Choices<OnError> choices_of(OnError) {
  return {
      {"dead_letter", OnError::kDeadLetter, "the record becomes a dead letter, with the reason"},
      {"set_null", OnError::kNull,
       "the column becomes NULL; records that do not parse at all are dead letters"}};
}

struct Settings {
  std::string input;
  Format format = Format::kJson;
  config::OrderedMap<config::Node> fields;
  OnError on_error = OnError::kDeadLetter;
  char delimiter = ',';
  std::string pattern;
  std::optional<bool> infer;
  jobs::parse::OnConflict on_conflict = jobs::parse::OnConflict::kSplit;
  std::vector<std::string> ignore;
  int64_t max_columns = jobs::parse::Inference{}.max_columns;

  bool is_inferring() const { return infer.value_or(fields.empty()); }
};

struct FieldSettings {
  std::string type;
  std::string path;
  bool required = false;
};

config::Fields<FieldSettings> field_settings() {
  return config::Fields<FieldSettings>()
      .required("type", &FieldSettings::type, "the SQL type")
      .optional("path", &FieldSettings::path,
                "where the value stands in the object, as a JSON pointer")
      .optional("required", &FieldSettings::required,
                "whether a record without it becomes a dead letter");
}

const char* name_of(Format format) {
  switch (format) {
    case Format::kJson:
      return "json";
    case Format::kCsv:
      return "csv";
    case Format::kText:
      return "text";
  }
  return "";
}

class ParseNode final : public Node {
 public:
  ParseNode(Settings settings, std::vector<jobs::parse::ParseField> fields)
      : settings_(std::move(settings)), fields_(std::move(fields)) {}

  std::vector<std::string> inputs() const override { return {settings_.input}; }

  bool takes_records() const override { return true; }

  std::optional<InferenceNeed> inference() const override {
    if (!settings_.is_inferring()) return std::nullopt;
    return InferenceNeed{{settings_.on_conflict,
                          {settings_.ignore.begin(), settings_.ignore.end()},
                          settings_.max_columns},
                         fields_};
  }

  std::string compile(const CompileContext& context) const override {
    if (!context.input().is_raw_topic) {
      fail(ErrorKind::kInvalid,
           "nodes.{}: a parse node reads a topic, or a bronze table with the records of one, but "
           "'{}' is neither",
           context.node, context.input().name);
    }
    jobs::parse::ParseSpec spec;
    spec.node = context.node;
    spec.topic = context.input().topic;
    spec.format = name_of(settings_.format);
    spec.fields = fields_;
    spec.null_on_error = settings_.on_error == OnError::kNull;
    spec.delimiter = settings_.delimiter;
    spec.pattern = settings_.pattern;
    if (settings_.is_inferring()) {
      spec.is_inferring = true;
      spec.on_conflict = settings_.on_conflict;
      spec.ignore = settings_.ignore;
      spec.fields = context.found->at(context.node);
    }
    return headrace::format("SELECT * FROM headrace_parse({}, {})",
                            engine::quote_literal(context.job),
                            engine::quote_literal(to_text(to_json(spec))));
  }

 private:
  Settings settings_;
  std::vector<jobs::parse::ParseField> fields_;
};

void check_inference(const Settings& settings, const config::Node& node,
                     config::Problems& problems) {
  if (settings.format != Format::kJson && settings.is_inferring()) {
    const char* name = settings.infer.has_value() ? "infer" : "fields";
    problems.add(
        node.find_or_self(name),
        headrace::format("the fields of {} cannot be found in the data", name_of(settings.format)),
        "name them under 'fields'; types are inferred from JSON alone");
  }
  if (settings.is_inferring() || !settings.fields.empty()) return;
  problems.add(node.find_or_self("fields"), "the node has no fields",
               "name them under 'fields', or leave out 'infer: false'");
}

// Fields are `name: type` or `name: {type, path, required}`.
std::vector<jobs::parse::ParseField> read_fields(const Settings& settings,
                                                 config::Problems& problems) {
  std::vector<jobs::parse::ParseField> fields;
  for (const auto& field : settings.fields) {
    if (field.value.is_scalar()) {
      fields.push_back({field.name, field.value.text(), "", false});
      continue;
    }
    const FieldSettings detailed = field_settings().read(field.value, problems);
    fields.push_back({field.name, detailed.type, detailed.path, detailed.required});
  }
  return fields;
}

}  // namespace

NodeType describe() {
  auto fields =
      config::Fields<Settings>()
          .required("input", &Settings::input,
                    "the topic whose records are parsed, or a bronze table that holds them",
                    config::example("orders"))
          .optional("format", &Settings::format, "what the records are")
          .optional("fields", &Settings::fields,
                    "the columns: `name: SQL type`, or `name: {type, path: /json/pointer, "
                    "required: true}`; left out, those of JSON are found in the data",
                    config::example("{id: bigint, ordered_at: timestamptz}"))
          .optional("infer", &Settings::infer,
                    "of JSON: whether fields that `fields` does not name become columns, too, with "
                    "types that are found in the data. On when `fields` is left out")
          .optional("on_conflict", &Settings::on_conflict,
                    "what becomes of a value that is not of the type its inferred column has")
          .optional("ignore", &Settings::ignore, "fields of the records that never become columns",
                    config::example("[debug, payload]"))
          .optional("max_columns", &Settings::max_columns,
                    "columns at most, members of structs counted; records that need more become "
                    "dead letters",
                    config::at_least(1))
          .optional("on_error", &Settings::on_error,
                    "what becomes of a value that is not of its type")
          .optional("delimiter", &Settings::delimiter, "what separates the fields of CSV")
          .optional("pattern", &Settings::pattern,
                    "of text: an RE2 pattern with a group (?P<name>…) for each field; the whole "
                    "line goes into the "
                    "only field when left out",
                    config::example(R"('(?P<host>\S+) (?P<status>\d+)')"))
          .read_elsewhere({"type"});
  NodeType type{
      "parse",
      "Turns the records of a topic into typed columns; what does not parse becomes a dead letter.",
      "{type: parse, input: orders, fields: {id: bigint, ordered_at: timestamptz, amount: "
      "\"decimal(12,2)\"}}",
      fields.list(),
      {}};
  type.read = [fields](const config::Node& node,
                       config::Problems& problems) -> std::unique_ptr<Node> {
    Settings settings = fields.read(node, problems);
    auto parsed = read_fields(settings, problems);
    check_inference(settings, node, problems);
    if (settings.format == Format::kText && settings.pattern.empty() && parsed.size() != 1) {
      problems.add(node.find_or_self("fields"), "text without a pattern gives one column",
                   "name one field of type varchar, or set 'pattern'");
    }
    return std::make_unique<ParseNode>(std::move(settings), std::move(parsed));
  };
  return type;
}

}  // namespace headrace::jobs::nodes::parse
