#include "jobs/node_type.h"

namespace headrace::jobs::nodes::select {
namespace {

struct Settings {
  std::string input;
  std::vector<std::string> columns;
};

class SelectNode final : public Node {
 public:
  explicit SelectNode(Settings settings) : settings_(std::move(settings)) {}
  std::vector<std::string> inputs() const override { return {settings_.input}; }

  std::string compile(const CompileContext& context) const override {
    const InputRelation& from = context.input();
    std::vector<std::string> columns;
    for (const std::string& column : settings_.columns)
      columns.push_back(engine::quote_identifier(column));
    for (const char* column : kLineageColumns) {
      if (from.has(column)) columns.emplace_back(column);
    }
    return format("SELECT {} FROM {}", headrace::join(columns, ", "),
                  engine::quote_identifier(from.name));
  }

 private:
  Settings settings_;
};

}  // namespace

NodeType describe() {
  return make_node_type<SelectNode>(
      "select", "Keeps some columns, in the order given.",
      "{type: select, input: parsed, columns: [id, country, amount]}",
      config::Fields<Settings>()
          .required("input", &Settings::input, "the node whose columns are chosen",
                    config::example("parsed"))
          .required("columns", &Settings::columns, "the columns to keep", config::not_empty(),
                    config::example("[id, country, amount]")));
}

}  // namespace headrace::jobs::nodes::select
