#include "base/error.h"
#include "jobs/node_type.h"

namespace headrace::jobs::nodes::join {
namespace {

enum class Kind { kLeft, kInner, kSemi, kAnti };
config::Choices<Kind> choices_of(Kind) {
  return {{"left", Kind::kLeft, "all rows of the first input; NULL where the second has no match"},
          {"inner", Kind::kInner, "only rows with a match"},
          {"semi", Kind::kSemi,
           "rows of the first input that have a match, without the second's columns"},
          {"anti", Kind::kAnti, "rows of the first input that have none"}};
}

struct Settings {
  std::vector<std::string> inputs;
  std::string on;
  Kind kind = Kind::kLeft;
  config::OrderedMap<std::string> columns;
};

class JoinNode final : public Node {
 public:
  explicit JoinNode(Settings settings) : settings_(std::move(settings)) {}
  std::vector<std::string> inputs() const override { return settings_.inputs; }
  size_t first_static_input() const override { return 1; }

  std::string compile(const CompileContext& context) const override {
    const InputRelation& left = context.inputs[0];
    const InputRelation& right = context.inputs[1];
    std::string projection = engine::quote_identifier(left.name) + ".*";
    if (settings_.kind == Kind::kLeft || settings_.kind == Kind::kInner) {
      for (const std::string& column : added_columns(context.node, left, right))
        projection += ", " + column;
    }
    return format("SELECT {} FROM {} {} JOIN {} ON ({})", projection,
                  engine::quote_identifier(left.name), keyword(),
                  engine::quote_identifier(right.name), settings_.on);
  }

 private:
  std::string keyword() const {
    switch (settings_.kind) {
      case Kind::kLeft:
        return "LEFT";
      case Kind::kInner:
        return "INNER";
      case Kind::kSemi:
        return "SEMI";
      case Kind::kAnti:
        return "ANTI";
    }
    return "";
  }

  std::vector<std::string> added_columns(const std::string& node, const InputRelation& left,
                                         const InputRelation& right) const {
    std::vector<std::string> added;
    for (const auto& column : settings_.columns) {
      added.push_back(format("({}) AS {}", column.value, engine::quote_identifier(column.name)));
    }
    if (!settings_.columns.empty()) return added;
    for (const engine::Column& column : right.columns) {
      if (left.has(column.name)) {
        fail(ErrorKind::kInvalid,
             "nodes.{}: both {} and {} have a column '{}'; say under 'columns' which ones to add, "
             "for example "
             "columns: {{{}_{}: {}.{}}}",
             node, left.name, right.name, column.name, right.name, column.name, right.name,
             column.name);
      }
      added.push_back(engine::quote_name(right.name, column.name));
    }
    return added;
  }

  Settings settings_;
};

std::string complain_about_inputs(const std::vector<std::string>& inputs) {
  return inputs.size() == 2 ? ""
                            : "a join has two inputs: the stream, and the static table or files";
}

}  // namespace

NodeType describe() {
  return make_node_type<JoinNode>(
      "join",
      "Joins a stream with static data: the second input is read whole, and again when it changes. "
      "Two streams are "
      "joined in a view.",
      "{type: join, inputs: [parsed, countries], on: \"parsed.country = countries.code\", columns: "
      "{region: "
      "countries.region}}",
      config::Fields<Settings>()
          .required("inputs", &Settings::inputs, "the stream, then the static side",
                    config::check(complain_about_inputs), config::example("[parsed, countries]"))
          .required("on", &Settings::on, "the condition, in SQL; columns are named input.column",
                    config::not_empty(), config::example("parsed.country = countries.code"))
          .optional("kind", &Settings::kind, "which rows to keep")
          .optional("columns", &Settings::columns,
                    "column to add: SQL expression; all columns of the second input when left out",
                    config::example("{region: countries.region}")));
}

}  // namespace headrace::jobs::nodes::join
