// Topics that keep their older part in object storage, and partitions that take no records for now.

#include <algorithm>

#include "app/instance.h"
#include "base/error.h"
#include "telemetry/log.h"

namespace headrace::app {
namespace {

constexpr std::chrono::seconds kTendInterval{1};

}  // namespace

void Instance::keep_offsets_of_tables() {
  for (const lake::TableIdentifier& identifier : tables_->list()) {
    const auto table = tables_->find(identifier);
    if (!table) continue;
    const lake::Snapshot* snapshot = table->table->metadata.current_snapshot();
    if (snapshot == nullptr) continue;
    const auto entry = snapshot->summary.find(headrace::tables::kPositionsKey);
    if (entry == snapshot->summary.end()) continue;
    skip_to(identifier.to_string(), headrace::tables::Positions::from_text(entry->second));
  }
}

void Instance::skip_to(const std::string& table, const headrace::tables::Positions& positions) {
  for (const std::string& name : log_->topic_names()) {
    const stream::Topic* topic = log_->find_topic(name);
    const std::vector<stream::Offset> offsets = positions.topic(name);
    const size_t count =
        topic == nullptr ? 0 : std::min<size_t>(offsets.size(), topic->partition_count());
    for (size_t i = 0; i < count; ++i) {
      try {
        topic->partition(static_cast<int>(i)).skip_to(offsets[i]);
      } catch (const Error& error) {
        tell_of_problem(format("table {} has read more than there is: {}", table, error.message()));
      }
    }
  }
}

void Instance::tend_topics(std::stop_token stop) {
  while (clock_.sleep_for(kTendInterval, stop)) {
    try {
      log_->tend(stop);
    } catch (const std::exception& error) {
      telemetry::log_warning("app", "tending the topics failed", {{"reason", error.what()}});
    }
  }
}

void Instance::add_topic_problems(JsonArray& problems) const {
  for (const std::string& name : log_->topic_names()) {
    const stream::Topic* topic = log_->find_topic(name);
    for (int i = 0; topic != nullptr && i < topic->partition_count(); ++i) {
      const stream::Partition& partition = topic->partition(i);
      const auto tell = [&](std::string_view what, const std::string& text) {
        if (text.empty()) return;
        problems.push_back(
            JsonObject{{"message", format("topic {} partition {}{}{}", name, i, what, text)}});
      };
      tell(" takes no records for now: ", partition.refusal());
      if (const auto tier = partition.tier()) {
        tell(format(", {} segments wait to be uploaded: ", tier->lag_segments), tier->problem);
        tell(": ", tier->note);
      }
    }
  }
}

}  // namespace headrace::app
