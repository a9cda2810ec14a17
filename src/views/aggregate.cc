#include "views/aggregate.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

#include "base/error.h"
#include "views/multiset.h"
#include "views/select_tree.h"

namespace headrace::views {
namespace {

constexpr int64_t kMostOfTopList = 10'000;

// A call of an aggregate, its parts as SQL.
struct Call {
  std::string name;
  std::string text;  // the whole call
  std::vector<std::string> arguments;
  std::string condition;  // of FILTER
  bool is_distinct = false;
  SourceKind source = SourceKind::kAppended;

  bool is_changing() const { return source == SourceKind::kChanging; }

  // " FILTER (WHERE …)" of the call, and of `also`.
  std::string filter(const std::string& also = "") const {
    if (condition.empty() && also.empty()) return "";
    if (condition.empty()) return format(" FILTER (WHERE {})", also);
    if (also.empty()) return format(" FILTER (WHERE {})", condition);
    return format(" FILTER (WHERE ({}) AND {})", condition, also);
  }
};

AggregateState count_of(const Call& call) {
  return {StateKind::kCount, format("count({}){}", call.arguments[0], call.filter())};
}

Aggregate make_count(const Call& call) {
  if (call.is_distinct) {
    if (call.arguments.size() != 1) fail(ErrorKind::kUnsupported, "count(DISTINCT …) of several");
    return {{{StateKind::kMultiset, multiset_sql(call.arguments[0], call.filter())}},
            distinct_count_sql("$0")};
  }
  return {{{StateKind::kCount, call.text}}, "$0"};
}

// The engine's count_if is a sum, too: NULL where it saw no value.
Aggregate make_sum(const Call& call) {
  Aggregate sum{{{StateKind::kSum, call.text}}, "$0"};
  if (call.is_changing()) {
    // Tells a sum of rows that are all gone from one that is 0.
    sum.states[0].count = 1;
    sum.states.push_back(count_of(call));
  }
  return sum;
}

Aggregate make_average(const Call& call) {
  return {{{StateKind::kWideSum, format("sum({}){}", call.arguments[0], call.filter())},
           count_of(call)},
          "CAST($0 AS DOUBLE) / nullif($1, 0)"};
}

// The count, the mean and the sum of squared distances from it (Chan, Golub, LeVeque).
AggregateState moments_of(const Call& call) {
  const std::string value = format("CAST({} AS DOUBLE)", call.arguments[0]);
  return {StateKind::kMoments,
          format("struct_pack(n := count({0}){1}, mean := avg({0}){1}, m2 := var_pop({0}){1} * "
                 "count({0}){1})",
                 value, call.filter())};
}

std::string variance_sql(bool is_sample) {
  return format(
      "CASE WHEN struct_extract($0, 'n') > {0} THEN struct_extract($0, 'm2') / (struct_extract($0, "
      "'n') - {0}) END",
      is_sample ? 1 : 0);
}

Aggregate make_variance(const Call& call) {
  return {{moments_of(call)}, variance_sql(!call.name.ends_with("_pop"))};
}

Aggregate make_deviation(const Call& call) {
  return {{moments_of(call)}, format("sqrt({})", variance_sql(!call.name.ends_with("_pop")))};
}

int64_t list_length(const std::string& text) {
  int64_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc{} || end != text.data() + text.size() || length < 1 ||
      length > kMostOfTopList) {
    fail(ErrorKind::kInvalid, "how many to keep is a number from 1 to {}, not {}", kMostOfTopList,
         text);
  }
  return length;
}

// The least or the greatest key, or the first n of them. `result` is made of $0 by `outcome`.
Aggregate make_extreme(const Call& call, bool is_least, const std::string& key,
                       const std::string& filter, const std::string& length,
                       const std::function<std::string(const std::string&, bool)>& outcome) {
  const char* name = is_least ? "min" : "max";
  if (length.empty()) {
    if (call.is_changing()) {
      return {{{StateKind::kMultiset, multiset_sql(key, filter)}},
              outcome(is_least ? least_sql("$0") : greatest_sql("$0"), false)};
    }
    return {{{is_least ? StateKind::kMin : StateKind::kMax, format("{}({}){}", name, key, filter)}},
            outcome("$0", false)};
  }
  const int64_t n = list_length(length);
  if (call.is_changing()) {
    return {{{StateKind::kMultiset, multiset_sql(key, filter)}},
            outcome(is_least ? n_least_sql("$0", n) : n_greatest_sql("$0", n), true)};
  }
  return {{{is_least ? StateKind::kLeast : StateKind::kGreatest,
            format("{}({}, {}){}", name, key, n, filter), n}},
          outcome("$0", true)};
}

// min(x), max(x, 3)
Aggregate make_extreme_value(const Call& call) {
  return make_extreme(call, call.name == "min", call.arguments[0], call.filter(),
                      call.arguments.size() > 1 ? call.arguments[1] : "",
                      [](const std::string& state, bool) { return state; });
}

// arg_min(x, y), max_by(x, y, 3): the x of the least or greatest y, of equal ones that of the least
// or greatest x.
Aggregate make_extreme_argument(const Call& call) {
  const bool is_least = call.name.find("min") != std::string::npos;
  const std::string key =
      format("struct_pack(\"by\" := {}, arg := {})", call.arguments[1], call.arguments[0]);
  const std::string both =
      format("({}) IS NOT NULL AND ({}) IS NOT NULL", call.arguments[0], call.arguments[1]);
  return make_extreme(
      call, is_least, key, call.filter(both), call.arguments.size() > 2 ? call.arguments[2] : "",
      [](const std::string& state, bool is_list) {
        return is_list ? format("list_transform({}, lambda e: struct_extract(e, 'arg'))", state)
                       : format("struct_extract({}, 'arg')", state);
      });
}

std::string fraction_of(const Call& call) {
  const std::string text = call.arguments.size() > 1 ? call.arguments[1] : "0.5";
  double fraction = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fraction);
  if (error != std::errc{} || end != text.data() + text.size() || fraction < 0 || fraction > 1) {
    fail(ErrorKind::kInvalid,
         "which quantile is one number from 0 to 1, not {}; for several, make a column of each",
         text);
  }
  return text;
}

Aggregate make_quantile(const Call& call) {
  const bool is_discrete = call.name == "quantile_disc" || call.name == "quantile";
  const std::string fraction = fraction_of(call);
  return {{{StateKind::kMultiset, multiset_sql(call.arguments[0], call.filter())}},
          is_discrete ? discrete_quantile_sql("$0", fraction)
                      : continuous_quantile_sql("$0", fraction)};
}

Aggregate make_approximate_quantile(const Call& call) {
  const std::string value = format("CAST({} AS DOUBLE)", call.arguments[0]);
  return {{{StateKind::kMultiset,
            multiset_sql(bucket_sql(value), call.filter(format("isfinite({})", value)))}},
          approximate_quantile_sql("$0", fraction_of(call))};
}

Aggregate make_approximate_count(const Call& call) {
  return {{{StateKind::kMultiset,
            multiset_sql(register_sql(call.arguments[0]),
                         call.filter(format("({}) IS NOT NULL", call.arguments[0])))}},
          estimated_count_sql("$0")};
}

struct Known {
  std::string_view name;
  size_t least_arguments;
  size_t most_arguments;
  Aggregate (*make)(const Call&);
};

constexpr std::array<Known, 27> kAggregates = {{
    {"count_star", 0, 0, make_count},
    {"count", 0, 1, make_count},
    {"count_if", 1, 1, make_sum},
    {"countif", 1, 1, make_sum},
    {"sum", 1, 1, make_sum},
    {"min", 1, 2, make_extreme_value},
    {"max", 1, 2, make_extreme_value},
    {"avg", 1, 1, make_average},
    {"mean", 1, 1, make_average},
    {"stddev", 1, 1, make_deviation},
    {"stddev_samp", 1, 1, make_deviation},
    {"stddev_pop", 1, 1, make_deviation},
    {"variance", 1, 1, make_variance},
    {"var_samp", 1, 1, make_variance},
    {"var_pop", 1, 1, make_variance},
    {"arg_min", 2, 3, make_extreme_argument},
    {"argmin", 2, 3, make_extreme_argument},
    {"min_by", 2, 3, make_extreme_argument},
    {"arg_max", 2, 3, make_extreme_argument},
    {"argmax", 2, 3, make_extreme_argument},
    {"max_by", 2, 3, make_extreme_argument},
    {"median", 1, 1, make_quantile},
    {"quantile_cont", 2, 2, make_quantile},
    {"quantile_disc", 2, 2, make_quantile},
    {"quantile", 2, 2, make_quantile},
    {"approx_quantile", 2, 2, make_approximate_quantile},
    {"approx_count_distinct", 1, 1, make_approximate_count},
}};

const Known* find_aggregate(std::string_view name) {
  const auto* found = std::find_if(kAggregates.begin(), kAggregates.end(),
                                   [&](const Known& each) { return each.name == name; });
  return found == kAggregates.end() ? nullptr : found;
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

Aggregate aggregate_of(engine::Connection& connection, const JsonObject& tree, SourceKind source) {
  Call call;
  call.name = tree.at("function_name").as_string();
  call.source = source;
  const Known& known = *find_aggregate(call.name);
  call.is_distinct = tree.at("distinct").as_bool();
  if (call.is_distinct && call.name != "count") {
    fail(ErrorKind::kUnsupported, "{}(DISTINCT …) cannot be kept up to date; count(DISTINCT …) can",
         call.name);
  }
  if (has_order(tree)) {
    fail(ErrorKind::kUnsupported,
         "{}(… ORDER BY …) cannot be kept up to date; for the first or last by time use arg_min or "
         "arg_max",
         call.name);
  }
  for (const Json& argument : tree.at("children").as_array()) {
    call.arguments.push_back(render(connection, argument));
  }
  if (call.arguments.size() < known.least_arguments ||
      call.arguments.size() > known.most_arguments) {
    fail(ErrorKind::kUnsupported, "{} with {} arguments cannot be kept up to date", call.name,
         call.arguments.size());
  }
  if (const Json* filter = tree.if_contains("filter"); filter != nullptr && !filter->is_null()) {
    call.condition = render(connection, *filter);
  }
  call.text = render(connection, tree);
  return known.make(call);
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
    case StateKind::kLeast:
      return "least";
    case StateKind::kGreatest:
      return "greatest";
    case StateKind::kMoments:
      return "moments";
    case StateKind::kMultiset:
      return "values";
  }
  fail(ErrorKind::kInternal, "a state of a view has no kind");
}

std::string with_states(std::string text, const std::vector<std::string>& columns) {
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string place = format("${}", i);
    for (size_t at = text.find(place); at != std::string::npos;
         at = text.find(place, at + columns[i].size())) {
      text.replace(at, place.size(), columns[i]);
    }
  }
  return text;
}

}  // namespace headrace::views
