#include "jobs/node_type.h"

namespace headrace::jobs::nodes::rename {
namespace {

struct Settings {
  std::string input;
  config::OrderedMap<std::string> columns;
};

class RenameNode final : public Node {
 public:
  explicit RenameNode(Settings settings) : settings_(std::move(settings)) {}
  std::vector<std::string> inputs() const override { return {settings_.input}; }

  std::string compile(const CompileContext& context) const override {
    std::vector<std::string> renames;
    for (const auto& column : settings_.columns) {
      renames.push_back(engine::quote_identifier(column.name) + " AS " +
                        engine::quote_identifier(column.value));
    }
    return format("SELECT * RENAME ({}) FROM {}", headrace::join(renames, ", "),
                  engine::quote_identifier(context.input().name));
  }

 private:
  Settings settings_;
};

}  // namespace

NodeType describe() {
  return make_node_type<RenameNode>(
      "rename", "Gives columns other names.",
      "{type: rename, input: parsed, columns: {usr: user_id, ts: time}}",
      config::Fields<Settings>()
          .required("input", &Settings::input, "the node whose columns are renamed",
                    config::example("parsed"))
          .required("columns", &Settings::columns, "old name: new name", config::not_empty(),
                    config::example("{usr: user_id}")));
}

}  // namespace headrace::jobs::nodes::rename
