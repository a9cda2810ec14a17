#include "jobs/node_type.h"

namespace headrace::jobs::nodes::sql {
namespace {

struct Settings {
  std::vector<std::string> inputs;
  std::string query;
};

class SqlNode final : public Node {
 public:
  explicit SqlNode(Settings settings) : settings_(std::move(settings)) {}
  std::vector<std::string> inputs() const override { return settings_.inputs; }
  std::string compile(const CompileContext&) const override { return settings_.query; }

 private:
  Settings settings_;
};

}  // namespace

NodeType describe() {
  return make_node_type<SqlNode>(
      "sql",
      "Any SELECT over its inputs, which it names like tables. It sees one batch at a time: sums "
      "over all data "
      "belong into a view.",
      "{type: sql, inputs: [parsed], query: \"SELECT *, upper(country) AS country_code FROM "
      "parsed\"}",
      config::Fields<Settings>()
          .required("inputs", &Settings::inputs, "the nodes that the query reads",
                    config::not_empty(), config::example("[parsed]"))
          .required("query", &Settings::query, "the SELECT", config::not_empty(),
                    config::example("SELECT * FROM parsed WHERE amount > 0")));
}

}  // namespace headrace::jobs::nodes::sql
