#include "jobs/node_type.h"

namespace headrace::jobs::nodes::deduplicate {
namespace {

struct Settings {
  std::string input;
  std::vector<std::string> keys;
  std::optional<std::string> table;
  std::optional<std::string> where;
};

class DeduplicateNode final : public Node {
 public:
  explicit DeduplicateNode(Settings settings) : settings_(std::move(settings)) {}
  std::vector<std::string> inputs() const override { return {settings_.input}; }

  std::string compile(const CompileContext& context) const override {
    const InputRelation& from = context.input();
    const std::string name = engine::quote_identifier(from.name);
    std::vector<std::string> keys;
    std::vector<std::string> same;
    for (const std::string& key : settings_.keys) {
      keys.push_back(engine::quote_identifier(key));
      same.push_back(format("present.{0} = candidate.{0}", engine::quote_identifier(key)));
    }
    const std::string order =
        from.has_lineage() ? "__partition, __offset" : format("{}", join(keys, ", "));
    std::string sql = format(
        "SELECT * FROM (SELECT * FROM {} QUALIFY row_number() OVER (PARTITION BY {} ORDER BY {}) = "
        "1) AS candidate",
        name, join(keys, ", "), order);
    if (settings_.table && context.is_table(parse_table_name(*settings_.table))) {
      const lake::TableIdentifier table = parse_table_name(*settings_.table);
      sql += format(" ANTI JOIN (SELECT {} FROM {}{}) AS present ON ({})", join(keys, ", "),
                    engine::quote_name(table.database, table.name),
                    settings_.where ? " WHERE " + *settings_.where : "", join(same, " AND "));
    }
    return sql;
  }

 private:
  Settings settings_;
};

}  // namespace

NodeType describe() {
  return make_node_type<DeduplicateNode>(
      "deduplicate",
      "Keeps the first row of each key: of those that arrive together and, with `table`, of those "
      "that the table "
      "holds already.",
      "{type: deduplicate, input: parsed, keys: [event_id], table: silver.events}",
      config::Fields<Settings>()
          .required("input", &Settings::input, "the node whose rows are looked at",
                    config::example("parsed"))
          .required("keys", &Settings::keys, "columns that are the same in duplicates",
                    config::not_empty(), config::example("[event_id]"))
          .optional("table", &Settings::table,
                    "the table that the job writes: rows whose key is in it, in files or hot, are "
                    "left out",
                    config::check(complain_about_table_name), config::example("silver.events"))
          .optional(
              "where", &Settings::where,
              "bounds the part of the table that is looked at, so that old files need not be read",
              config::example("time > now() - INTERVAL 1 DAY")));
}

}  // namespace headrace::jobs::nodes::deduplicate
