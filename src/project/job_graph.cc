#include "project/job_graph.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/format.h"
#include "config/suggestion.h"

namespace headrace::project {

namespace {

enum class Mark { kNew, kOnTheWay, kDone };

// The node whose value names the input, for the place of a problem.
config::Node place_of_input(const JobNode& node, size_t index) {
  if (const auto list = node.node.find("inputs"); list && list->is_list() && index < list->size()) {
    return (*list)[index];
  }
  return node.node.find_or_self("input");
}

void check_input(const JobDefinition& job, const JobNode& node, size_t index,
                 config::Problems& problems) {
  const std::string& input = node.facts.inputs[index];
  const config::Node place = place_of_input(node, index);
  const JobNode* found = job.find(input);
  if (found == nullptr) {
    std::vector<std::string> names;
    for (const JobNode& other : job.nodes) {
      if (other.name != node.name && !other.is_target()) names.push_back(other.name);
    }
    problems.add(place, format("there is no node '{}' in this job", input),
                 config::suggest(input, names));
  } else if (found->is_target()) {
    problems.add(place, format("'{}' writes a table and has no output", input),
                 format("take {} instead, whose rows it writes", join(found->facts.inputs, ", ")));
  }
  if (std::count(node.facts.inputs.begin(), node.facts.inputs.begin() + static_cast<long>(index),
                 input) > 0) {
    problems.add(place, format("'{}' is an input twice", input));
  }
}

// Depth-first from the inputs on; finds cycles and the order.
class Ordering {
 public:
  Ordering(const JobDefinition& job, config::Problems& problems) : job_(job), problems_(problems) {}

  std::vector<JobNode> run() {
    for (const JobNode& node : job_.nodes) visit(node);
    return std::move(ordered_);
  }

 private:
  void visit(const JobNode& node) {
    Mark& mark = marks_[node.name];
    if (mark == Mark::kDone) return;
    if (mark == Mark::kOnTheWay) return report_cycle(node);
    mark = Mark::kOnTheWay;
    way_.push_back(&node);
    for (const std::string& input : node.facts.inputs) {
      if (const JobNode* found = job_.find(input)) visit(*found);
    }
    way_.pop_back();
    marks_[node.name] = Mark::kDone;
    ordered_.push_back(node);
  }

  void report_cycle(const JobNode& node) {
    const auto start = std::find(way_.begin(), way_.end(), &node);
    std::string cycle;
    for (auto at = start; at != way_.end(); ++at) cycle += (*at)->name + " ← ";
    problems_.add(node.node.find_or_self("input"),
                  format("takes its own rows: {}{}", cycle, node.name),
                  "rows can only go forward; break the circle");
  }

  const JobDefinition& job_;
  config::Problems& problems_;
  std::map<std::string, Mark> marks_;
  std::vector<const JobNode*> way_;
  std::vector<JobNode> ordered_;
};

}  // namespace

void check_inputs(const JobDefinition& job, config::Problems& problems) {
  for (const JobNode& node : job.nodes) {
    for (size_t i = 0; i < node.facts.inputs.size(); ++i) check_input(job, node, i, problems);
  }
}

void check_use(const JobDefinition& job, config::Problems& problems) {
  std::set<std::string> used;
  bool has_target = false;
  for (const JobNode& node : job.nodes) {
    used.insert(node.facts.inputs.begin(), node.facts.inputs.end());
    has_target = has_target || node.is_target();
  }
  if (!has_target) {
    problems.add_at_key(job.node.find_or_self("nodes"), "no node writes anything",
                        "add one as: silver: {type: table, input: …, table: silver.orders}");
    return;
  }
  for (const JobNode& node : job.nodes) {
    if (node.is_target() || used.contains(node.name)) continue;
    problems.warn(node.node, "nobody uses the rows of this node",
                  "name it as an input, or remove it");
  }
}

void order_nodes(JobDefinition& job, config::Problems& problems) {
  job.nodes = Ordering(job, problems).run();
}

}  // namespace headrace::project
