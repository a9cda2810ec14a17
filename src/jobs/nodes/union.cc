#include "jobs/node_type.h"

namespace headrace::jobs::nodes::union_ {
namespace {

struct Settings {
  std::vector<std::string> inputs;
};

class UnionNode final : public Node {
 public:
  explicit UnionNode(Settings settings) : settings_(std::move(settings)) {}
  std::vector<std::string> inputs() const override { return settings_.inputs; }

  std::string compile(const CompileContext& context) const override {
    std::vector<std::string> parts;
    for (const InputRelation& input : context.inputs) {
      parts.push_back("SELECT * FROM " + engine::quote_identifier(input.name));
    }
    return format("{}", headrace::join(parts, " UNION ALL BY NAME "));
  }

 private:
  Settings settings_;
};

}  // namespace

NodeType describe() {
  return make_node_type<UnionNode>(
      "union", "All rows of its inputs; columns are matched by name, missing ones are NULL.",
      "{type: union, inputs: [web_orders, shop_orders]}",
      config::Fields<Settings>().required("inputs", &Settings::inputs, "the nodes to put together",
                                          config::not_empty(),
                                          config::example("[web_orders, shop_orders]")));
}

}  // namespace headrace::jobs::nodes::union_
