#include "jobs/node_type.h"

namespace headrace::jobs::nodes::table {
namespace {

struct Settings {
  std::string table;
  std::optional<std::string> input;
  std::vector<std::string> partition_by;
  std::vector<std::string> primary_key;
  std::optional<std::string> sequence_by;
  std::optional<std::string> delete_when;
  std::vector<std::string> leave_out;
  std::optional<std::vector<std::string>> sort_by;
  std::optional<int> format_version;
};

// What belongs together in a target's settings.
void check(const Settings& settings, const config::Node& node, config::Problems& problems) {
  const auto needs = [&](bool is_set, const char* name, const char* other, bool has_other) {
    if (!is_set || has_other) return;
    problems.add(node.find_or_self(name), headrace::format("'{}' needs '{}'", name, other),
                 headrace::format("set '{}', or leave '{}' out", other, name));
  };
  const bool is_upsert = !settings.primary_key.empty();
  needs(is_upsert, "primary_key", "input", settings.input.has_value());
  needs(settings.sequence_by.has_value(), "sequence_by", "primary_key", is_upsert);
  needs(settings.delete_when.has_value(), "delete_when", "primary_key", is_upsert);
  needs(!settings.leave_out.empty(), "leave_out", "input", settings.input.has_value());
  needs(settings.sort_by.has_value(), "sort_by", "input", settings.input.has_value());
  needs(settings.format_version.has_value(), "format_version", "input", settings.input.has_value());
}

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
    TargetNeed need;
    need.table = parse_table_name(settings_.table);
    need.partition_by = settings_.partition_by;
    need.upsert = {settings_.primary_key, settings_.sequence_by};
    need.delete_when = settings_.delete_when.value_or("");
    need.leave_out = settings_.leave_out;
    need.sort_by = settings_.sort_by;
    need.format_version = settings_.format_version;
    return need;
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
                    config::example("[day(ordered_at)]"))
          .optional("primary_key", &Settings::primary_key,
                    "the columns that tell rows apart: a row takes the place of the one with the "
                    "same key. Rows without a key become dead letters. Without sequence_by, all "
                    "changes of a key come through one partition of the topic",
                    config::example("[id]"))
          .optional("sequence_by", &Settings::sequence_by,
                    "the column that orders the changes of a key: the greater one wins, whenever "
                    "it comes; else the one that comes later",
                    config::example("updated_at"))
          .optional("delete_when", &Settings::delete_when,
                    "SQL condition over the input's columns: such a row deletes the one with the "
                    "same key",
                    config::example("op = 'd'"))
          .optional("leave_out", &Settings::leave_out, "columns of the input that are not stored",
                    config::example("[op]"))
          .optional("sort_by", &Settings::sort_by,
                    "the columns by which rows are sorted when the table's files are merged: a "
                    "column, or column desc. Queries that filter by them read less",
                    config::example("[customer, ordered_at desc]"))
          .optional("format_version", &Settings::format_version,
                    "the version of Iceberg's table format, at least: 3 keeps deleted rows as "
                    "deletion vectors, which not every engine reads yet. A table that has it keeps "
                    "it; new tables have 2",
                    config::at_least(2), config::at_most(3), config::example("3"))
          .check(check));
}

}  // namespace headrace::jobs::nodes::table
