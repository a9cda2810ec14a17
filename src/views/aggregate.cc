#include "views/aggregate.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace headrace::views {
namespace {

enum class Shape { kOne, kAverage };

struct Aggregate {
  std::string_view name;
  StateKind kind;
  Shape shape;
  size_t most_arguments;
};

// The engine's count_if is a sum: NULL where it saw no value.
constexpr std::array<Aggregate, 9> kAggregates = {{
    {"count_star", StateKind::kCount, Shape::kOne, 0},
    {"count", StateKind::kCount, Shape::kOne, 1},
    {"count_if", StateKind::kSum, Shape::kOne, 1},
    {"countif", StateKind::kSum, Shape::kOne, 1},
    {"sum", StateKind::kSum, Shape::kOne, 1},
    {"min", StateKind::kMin, Shape::kOne, 1},
    {"max", StateKind::kMax, Shape::kOne, 1},
    {"avg", StateKind::kSum, Shape::kAverage, 1},
    {"mean", StateKind::kSum, Shape::kAverage, 1},
}};

const Aggregate* find_aggregate(std::string_view name) {
  const auto* found = std::find_if(kAggregates.begin(), kAggregates.end(),
                                   [&](const Aggregate& each) { return each.name == name; });
  return found == kAggregates.end() ? nullptr : found;
}

Json with_function(const JsonObject& aggregate, std::string_view name) {
  JsonObject result = aggregate;
  result["function_name"] = name;
  return result;
}

bool has_order(const JsonObject& aggregate) {
  const Json* order = aggregate.if_contains("order_bys");
  if (order == nullptr || !order->is_object()) return false;
  const Json* list = order->get_object().if_contains("orders");
  return list != nullptr && list->is_array() && !list->get_array().empty();
}

}  // namespace

bool is_supported_aggregate(std::string_view function_name) {
  return find_aggregate(function_name) != nullptr;
}

std::vector<AggregateState> states_of(const JsonObject& aggregate) {
  const std::string name = string_member(aggregate, "function_name");
  const Aggregate& known = *find_aggregate(name);
  if (member(aggregate, "distinct").as_bool()) {
    fail(ErrorKind::kUnsupported,
         "{}(DISTINCT …) cannot be kept up to date without every value seen; group by the column "
         "instead",
         name);
  }
  if (has_order(aggregate)) {
    fail(ErrorKind::kUnsupported, "{}(… ORDER BY …): the order changes nothing; leave it out",
         name);
  }
  if (member(aggregate, "children").as_array().size() > known.most_arguments) {
    fail(ErrorKind::kUnsupported, "{} with several arguments cannot be kept up to date", name);
  }
  if (known.shape == Shape::kAverage) {
    return {{StateKind::kWideSum, with_function(aggregate, "sum")},
            {StateKind::kCount, with_function(aggregate, "count")}};
  }
  return {{known.kind, aggregate}};
}

std::string_view name_of(StateKind kind) {
  switch (kind) {
    case StateKind::kCount:
      return "count";
    case StateKind::kSum:
    case StateKind::kWideSum:
      return "sum";
    case StateKind::kMin:
      return "min";
    case StateKind::kMax:
      return "max";
  }
  fail(ErrorKind::kInternal, "a state of a view has no kind");
}

}  // namespace headrace::views
