#include "jobs/node_type.h"

namespace headrace::jobs::nodes::cast {
namespace {

enum class OnError { kDeadLetter, kNull };
config::Choices<OnError> choices_of(OnError) {
  return {{"dead_letter", OnError::kDeadLetter, "put the record into the dead-letter table"},
          {"set_null", OnError::kNull, "put NULL into the column"}};
}

struct Settings {
  std::string input;
  config::OrderedMap<std::string> columns;
  OnError on_error = OnError::kDeadLetter;
};

class CastNode final : public Node {
 public:
  explicit CastNode(Settings settings) : settings_(std::move(settings)) {}
  std::vector<std::string> inputs() const override { return {settings_.input}; }

  std::string compile(const CompileContext& context) const override {
    std::vector<std::string> casts;
    std::vector<std::string> complaints;
    for (const auto& column : settings_.columns) {
      const std::string name = engine::quote_identifier(column.name);
      const std::string cast = format("TRY_CAST({} AS {})", name, column.value);
      casts.push_back(format("{} AS {}", cast, name));
      complaints.push_back(
          format("CASE WHEN {0} IS NOT NULL AND {1} IS NULL THEN {2} || {0}::VARCHAR || {3} END",
                 name, cast, engine::quote_literal(column.name + ": '"),
                 engine::quote_literal("' is no " + column.value)));
    }
    const std::string projection = format("* REPLACE ({})", join(casts, ", "));
    if (settings_.on_error == OnError::kNull) {
      return format("SELECT {} FROM {}", projection,
                    engine::quote_identifier(context.input().name));
    }
    return context.accepting(context.input(), projection,
                             format("nullif(concat_ws('; ', {}), '')", join(complaints, ", ")));
  }

 private:
  Settings settings_;
};

}  // namespace

NodeType describe() {
  return make_node_type<CastNode>(
      "cast", "Changes columns' types; a value that does not fit makes its record a dead letter.",
      "{type: cast, input: parsed, columns: {amount: \"decimal(12,2)\", ordered_at: timestamptz}}",
      config::Fields<Settings>()
          .required("input", &Settings::input, "the node whose columns are cast",
                    config::example("parsed"))
          .required("columns", &Settings::columns, "column: SQL type", config::not_empty(),
                    config::example("{amount: \"decimal(12,2)\"}"))
          .optional("on_error", &Settings::on_error, "what becomes of a value that does not fit"));
}

}  // namespace headrace::jobs::nodes::cast
