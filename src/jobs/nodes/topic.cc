#include "jobs/node_type.h"

namespace headrace::jobs::nodes::topic {
namespace {

enum class Start { kEarliest, kLatest };
config::Choices<Start> choices_of(Start) {
  return {{"earliest", Start::kEarliest, "with the oldest record kept"},
          {"latest", Start::kLatest, "with the next record to come"}};
}

struct Settings {
  std::string topic;
  Start from = Start::kEarliest;
};

class TopicNode final : public Node {
 public:
  explicit TopicNode(Settings settings) : settings_(std::move(settings)) {}

  std::optional<SourceNeed> source() const override {
    SourceNeed need;
    need.kind = SourceNeed::Kind::kTopic;
    need.topic = settings_.topic;
    need.from_latest = settings_.from == Start::kLatest;
    return need;
  }

  std::string compile(const CompileContext& context) const override {
    return format("SELECT * FROM headrace_records({}, {})", engine::quote_literal(context.job),
                  engine::quote_literal(settings_.topic));
  }

 private:
  Settings settings_;
};

}  // namespace

NodeType describe() {
  return make_node_type<TopicNode>(
      "topic", "Reads the records of a topic, each exactly once.", "{type: topic, topic: orders}",
      config::Fields<Settings>()
          .required("topic", &Settings::topic, "the topic to read", config::example("orders"))
          .optional("from", &Settings::from,
                    "where a job without a position begins; afterwards it goes on from where its "
                    "tables stand"));
}

}  // namespace headrace::jobs::nodes::topic
