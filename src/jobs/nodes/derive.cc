#include "jobs/node_type.h"

namespace headrace::jobs::nodes::derive {
namespace {

struct Settings {
  std::string input;
  config::OrderedMap<std::string> columns;
};

class DeriveNode final : public Node {
 public:
  explicit DeriveNode(Settings settings) : settings_(std::move(settings)) {}
  std::vector<std::string> inputs() const override { return {settings_.input}; }

  std::string compile(const CompileContext& context) const override {
    const InputRelation& from = context.input();
    std::vector<std::string> replaced;
    std::vector<std::string> added;
    for (const auto& column : settings_.columns) {
      const std::string expression =
          format("({}) AS {}", column.value, engine::quote_identifier(column.name));
      (from.has(column.name) ? replaced : added).push_back(expression);
    }
    std::string projection = "*";
    if (!replaced.empty()) projection += format(" REPLACE ({})", join(replaced, ", "));
    for (const std::string& expression : added) projection += ", " + expression;
    return format("SELECT {} FROM {}", projection, engine::quote_identifier(from.name));
  }

 private:
  Settings settings_;
};

}  // namespace

NodeType describe() {
  return make_node_type<DeriveNode>(
      "derive",
      "Computes columns, new ones or in place of old ones. The record that a row came from is "
      "there as __topic, "
      "__partition, __offset, __time and __key.",
      "{type: derive, input: parsed, columns: {total: \"price * quantity\", received_at: __time}}",
      config::Fields<Settings>()
          .required("input", &Settings::input, "the node whose rows are computed on",
                    config::example("parsed"))
          .required("columns", &Settings::columns,
                    "column: SQL expression over the input's columns", config::not_empty(),
                    config::example("{total: \"price * quantity\"}")));
}

}  // namespace headrace::jobs::nodes::derive
