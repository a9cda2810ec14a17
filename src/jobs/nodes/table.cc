#include "jobs/node_type.h"

namespace headrace::jobs::nodes::table {
namespace {

struct Settings {
  std::string table;
  std::optional<std::string> input;
  std::vector<std::string> partition_by;
};

class TableNode final : public Node {
 public:
  explicit TableNode(Settings settings) : settings_(std::move(settings)) {}

  std::vector<std::string> inputs() const override {
    return settings_.input ? std::vector<std::string>{*settings_.input}
                           : std::vector<std::string>{};
  }

  std::optional<SourceNeed> source() const override {
    if (settings_.input) return std::nullopt;
    SourceNeed need;
    need.kind = SourceNeed::Kind::kTable;
    need.table = parse_table_name(settings_.table);
    return need;
  }

  std::optional<TargetNeed> target() const override {
    if (!settings_.input) return std::nullopt;
    return TargetNeed{parse_table_name(settings_.table), settings_.partition_by, {}};
  }

  std::string compile(const CompileContext& context) const override {
    return "SELECT * FROM " + engine::quote_identifier(context.input().name);
  }

 private:
  Settings settings_;
};

}  // namespace

NodeType describe() {
  return make_node_type<TableNode>(
      "table",
      "With `input`: writes its rows to a table. Without: reads a table, its new rows when it "
      "drives the job, all "
      "of it as the static side of a join.",
      "{type: table, input: parsed, table: silver.orders, partition_by: [day(ordered_at)]}",
      config::Fields<Settings>()
          .required("table", &Settings::table, "the table, as database.table",
                    config::check(complain_about_table_name), config::example("silver.orders"))
          .optional("input", &Settings::input, "the node whose rows are written",
                    config::example("parsed"))
          .optional("partition_by", &Settings::partition_by,
                    "how the table's files are divided: a column, or year(), month(), day(), "
                    "hour(), bucket(n, "
                    "column), truncate(width, column)",
                    config::example("[day(ordered_at)]")));
}

}  // namespace headrace::jobs::nodes::table
