#include "jobs/node_type.h"

namespace headrace::jobs::nodes::filter {
namespace {

enum class Otherwise { kDrop, kDeadLetter };
config::Choices<Otherwise> choices_of(Otherwise) {
  return {{"drop", Otherwise::kDrop, "leave them out"},
          {"dead_letter", Otherwise::kDeadLetter, "put them into the dead-letter table"}};
}

struct Settings {
  std::string input;
  std::string where;
  Otherwise otherwise = Otherwise::kDrop;
  std::optional<std::string> reason;
};

class FilterNode final : public Node {
 public:
  explicit FilterNode(Settings settings) : settings_(std::move(settings)) {}
  std::vector<std::string> inputs() const override { return {settings_.input}; }

  std::string compile(const CompileContext& context) const override {
    const InputRelation& from = context.input();
    if (settings_.otherwise == Otherwise::kDrop) {
      return format("SELECT * FROM {} WHERE {}", engine::quote_identifier(from.name),
                    settings_.where);
    }
    const std::string reason = settings_.reason.value_or("does not meet: " + settings_.where);
    return context.accepting(from, "*",
                             format("CASE WHEN ({}) IS TRUE THEN NULL ELSE {} END", settings_.where,
                                    engine::quote_literal(reason)));
  }

 private:
  Settings settings_;
};

}  // namespace

NodeType describe() {
  return make_node_type<FilterNode>(
      "filter",
      "Keeps the rows that meet a condition; the others are dropped or become dead letters.",
      "{type: filter, input: parsed, where: \"amount >= 0\", otherwise: dead_letter, reason: "
      "\"amount is negative\"}",
      config::Fields<Settings>()
          .required("input", &Settings::input, "the node whose rows are looked at",
                    config::example("parsed"))
          .required("where", &Settings::where, "the condition, in SQL", config::not_empty(),
                    config::example("amount >= 0"))
          .optional("otherwise", &Settings::otherwise, "what becomes of the other rows")
          .optional("reason", &Settings::reason, "what the dead letter says",
                    config::example("amount is negative")));
}

}  // namespace headrace::jobs::nodes::filter
