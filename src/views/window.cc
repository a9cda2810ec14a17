#include "views/window.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "views/select_tree.h"

namespace headrace::views {
namespace {

constexpr const char* kHop = "__headrace_hop";  // the number of a row's window, from the newest
constexpr int64_t kMostWindowsOfARow = 1000;
constexpr int64_t kDayUs = 86'400'000'000;
constexpr int64_t kLongestGapUs = 366 * kDayUs;

enum class Kind { kTumbling, kHopping, kSession };
enum class Part { kStart, kEnd };

struct WindowFunction {
  std::string_view name;
  Kind kind;
  Part part;
};

constexpr std::array<WindowFunction, 9> kFunctions = {{
    {"tumble", Kind::kTumbling, Part::kStart},
    {"tumble_start", Kind::kTumbling, Part::kStart},
    {"tumble_end", Kind::kTumbling, Part::kEnd},
    {"hop", Kind::kHopping, Part::kStart},
    {"hop_start", Kind::kHopping, Part::kStart},
    {"hop_end", Kind::kHopping, Part::kEnd},
    {"session", Kind::kSession, Part::kStart},
    {"session_start", Kind::kSession, Part::kStart},
    {"session_end", Kind::kSession, Part::kEnd},
}};

// For messages.
std::string_view form_of(Kind kind) {
  switch (kind) {
    case Kind::kTumbling:
      return "tumble(time, size)";
    case Kind::kHopping:
      return "hop(time, slide, size)";
    case Kind::kSession:
      break;
  }
  return "session(time, gap)";
}

const WindowFunction* function_of(const JsonObject& expression) {
  if (!is_class(Json(expression), "FUNCTION")) return nullptr;
  const std::string_view name = expression.at("function_name").as_string();
  for (const WindowFunction& each : kFunctions) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

// Of `name(…)` at the beginning of a text, strings in it closed; 0: it does not begin so.
size_t end_of_call(std::string_view text, std::string_view name) {
  if (text.size() <= name.size() || text[name.size()] != '(') return 0;
  if (!equal_ignoring_case(text.substr(0, name.size()), name)) return 0;
  int depth = 0;
  char quote = 0;
  for (size_t i = name.size(); i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && --depth == 0) {
      return i + 1;
    }
  }
  return 0;
}

// As the user wrote it, if the place that the parser gives is right; else as the engine writes it,
// which spells intervals out.
std::string text_of_call(engine::Connection& connection, const JsonObject& call,
                         const std::string& sql) {
  const Json* place = call.if_contains("query_location");
  const std::string_view name = call.at("function_name").as_string();
  const bool is_known = place != nullptr && place->is_int64() && place->get_int64() >= 0 &&
                        static_cast<size_t>(place->get_int64()) < sql.size();
  if (is_known) {
    const std::string_view rest =
        std::string_view(sql).substr(static_cast<size_t>(place->get_int64()));
    const size_t end = end_of_call(rest, name);
    if (end != 0) return std::string(rest.substr(0, end));
  }
  return render(connection, Json(call));
}

const JsonObject* first_window_call(const Json& tree) {
  const JsonObject* found = nullptr;
  visit_expressions(tree, [&](const JsonObject& expression) {
    if (found == nullptr && function_of(expression) != nullptr) found = &expression;
    return found == nullptr;
  });
  return found;
}

struct Interval {
  std::string text;
  int64_t months = 0;
  int64_t length_us = 0;  // of one without months

  std::string sql() const { return "INTERVAL " + engine::quote_literal(text); }
  // The length is that of months from January on.
  int64_t longest_us() const { return length_us + months * kDayUs; }
};

bool is_constant(const Json& tree) {
  bool found = true;
  visit_expressions(tree, [&](const JsonObject& expression) {
    const std::string_view name = expression.at("class").as_string();
    found = found && name != "COLUMN_REF" && name != "SUBQUERY";
    return found;
  });
  return found;
}

Interval interval_of(engine::Connection& connection, const Json& argument,
                     const std::string& context) {
  const std::string sql = render(connection, argument);
  std::vector<std::vector<std::optional<std::string>>> rows;
  try {
    if (is_constant(argument)) {
      rows = connection.query_rows(
          format("SELECT CAST(i AS VARCHAR), date_part('year', i) * 12 + date_part('month', i), "
                 "epoch_us(TIMESTAMP '1970-01-01' + i) FROM (SELECT CAST(({}) AS INTERVAL) AS i)",
                 sql));
    }
  } catch (const Error&) {
    rows.clear();  // told below
  }
  if (rows.empty() || !rows[0][0]) {
    fail(ErrorKind::kInvalid, "{}: {} is no fixed interval; write it as INTERVAL 5 MINUTE", context,
         sql);
  }
  const Interval interval{*rows[0][0], std::stoll(*rows[0][1]), std::stoll(*rows[0][2])};
  if (interval.length_us <= 0) {
    fail(ErrorKind::kInvalid, "{}: {} is no length of time; it must be more than nothing", context,
         sql);
  }
  return interval;
}

Json parse_expression(engine::Connection& connection, const std::string& sql) {
  return parse_select(connection, "SELECT " + sql).at("select_list").as_array()[0];
}

// One call, read.
class WindowCall {
 public:
  WindowCall(engine::Connection& connection, const JsonObject& call, const std::string& sql)
      : connection_(connection),
        function_(*function_of(call)),
        arguments_(call.at("children").as_array()) {
    window_.call = text_of_call(connection, call, sql);
    window_.place = place_of(call, sql);
    window_.is_named = true;
    context_ = window_.place + window_.call;
  }

  Window read() {
    const size_t wanted = function_.kind == Kind::kHopping ? 3 : 2;
    if (arguments_.size() != wanted) {
      fail(ErrorKind::kInvalid, "{}: this is written as {}, with {} arguments", context_,
           form_of(function_.kind), wanted);
    }
    window_.time = render(connection_, arguments_[0]);
    const Interval size = interval_of(connection_, arguments_[wanted - 1], context_);
    window_.size = size.sql();
    window_.longest_us = size.longest_us();
    if (function_.kind == Kind::kSession) {
      read_gap(size);
      window_.start = column_reference(kSessionStart);
    } else {
      window_.start = parse_expression(
          connection_, function_.kind == Kind::kHopping
                           ? hopping_start(size)
                           : format("time_bucket({}, {})", size.sql(), window_.time));
    }
    return window_;
  }

  Json replacement() const {
    if (function_.part == Part::kStart) return window_.start;
    if (function_.kind == Kind::kSession) return column_reference(kSessionEnd);
    return parse_expression(connection_,
                            format("({}) + {}", render(connection_, window_.start), window_.size));
  }

 private:
  void read_gap(const Interval& gap) {
    if (gap.months != 0 || gap.length_us > kLongestGapUs) {
      fail(ErrorKind::kInvalid,
           "{}: the gap of sessions is at most 366 days, given in days or less", context_);
    }
    window_.session_gap_us = gap.length_us;
  }

  std::string hopping_start(const Interval& size) {
    const Interval slide = interval_of(connection_, arguments_[1], context_);
    if (size.months != 0 || slide.months != 0) {
      fail(ErrorKind::kInvalid,
           "{}: months and years differ in length; give slide and size in weeks, days or less",
           context_);
    }
    if (size.length_us % slide.length_us != 0) {
      fail(ErrorKind::kInvalid,
           "{}: the size, {}, must be a whole number of slides of {}; the order is {}", context_,
           size.text, slide.text, form_of(Kind::kHopping));
    }
    window_.windows_per_row = size.length_us / slide.length_us;
    if (window_.windows_per_row > kMostWindowsOfARow) {
      fail(ErrorKind::kInvalid,
           "{}: each row would be in {} windows; at most {} are possible, so give a longer slide",
           context_, window_.windows_per_row, kMostWindowsOfARow);
    }
    std::string newest = format("time_bucket({}, {})", slide.sql(), window_.time);
    if (window_.windows_per_row == 1) return newest;
    return format("{} - to_microseconds({} * {})", newest, kHop, slide.length_us);
  }

  engine::Connection& connection_;
  const WindowFunction& function_;
  const JsonArray& arguments_;
  std::string context_;
  Window window_;
};

void refuse_in(engine::Connection& connection, const Json& tree, std::string_view clause,
               const std::string& sql) {
  const JsonObject* call = first_window_call(tree);
  if (call == nullptr) return;
  fail(ErrorKind::kInvalid,
       "{}{} cannot stand in {}; it is a key of the view, and rows are chosen by their own time",
       place_of(*call, sql), text_of_call(connection, *call, sql), clause);
}

}  // namespace

std::optional<Window> replace_windows(engine::Connection& connection, JsonObject& select,
                                      const std::string& sql) {
  refuse_in(connection, select.at("where_clause"), "WHERE", sql);
  refuse_in(connection, select.at("from_table"), "FROM", sql);
  for (const Json& item : select.at("select_list").as_array()) {
    if (first_window_call(item) == nullptr || !string_member(item, "alias").empty()) continue;
    const JsonObject& call = *first_window_call(item);
    const std::string text = text_of_call(connection, call, sql);
    fail(ErrorKind::kInvalid, "{}give the column with {} a name, as in: {} AS window_start",
         place_of(call, sql), text, text);
  }
  std::optional<Window> window;
  for (const std::string_view part : {"select_list", "group_expressions"}) {
    replace_expressions(select.at(part), [&](const JsonObject& call) -> std::optional<Json> {
      if (function_of(call) == nullptr) return std::nullopt;
      WindowCall reader(connection, call, sql);
      const Window found = reader.read();
      if (window &&
          (identity_of(window->start) != identity_of(found.start) || window->size != found.size)) {
        fail(ErrorKind::kUnsupported,
             "{}a view has one window, here there are {} and {}; make a view for each",
             place_of(call, sql), window->call, found.call);
      }
      if (!window) window = found;
      return reader.replacement();
    });
  }
  return window;
}

std::optional<Window> plain_window(engine::Connection& connection, const Json& expression) {
  static const std::map<std::string, std::string> lengths = {{"millisecond", "1 millisecond"},
                                                             {"second", "1 second"},
                                                             {"minute", "1 minute"},
                                                             {"hour", "1 hour"},
                                                             {"day", "1 day"},
                                                             {"week", "7 days"},
                                                             {"month", "1 month"},
                                                             {"quarter", "3 months"},
                                                             {"year", "1 year"}};
  if (!is_class(expression, "FUNCTION")) return std::nullopt;
  const std::string name = string_member(expression, "function_name");
  const JsonArray& arguments = member(expression, "children").as_array();
  if (arguments.size() != 2 || !is_constant(arguments[0]) || is_constant(arguments[1])) {
    return std::nullopt;
  }
  Window window;
  window.call = render(connection, expression);
  window.time = render(connection, arguments[1]);
  window.start = expression;
  Json size = arguments[0];
  if (name == "date_trunc" || name == "datetrunc") {
    const auto unit = connection.query_value("SELECT lower(" + render(connection, size) + ")");
    const auto length = lengths.find(unit.value_or(""));
    if (length == lengths.end()) return std::nullopt;
    size = parse_expression(connection, "INTERVAL " + engine::quote_literal(length->second));
  } else if (name != "time_bucket") {
    return std::nullopt;
  }
  const Interval interval = interval_of(connection, size, window.call);
  window.size = interval.sql();
  window.longest_us = interval.longest_us();
  return window;
}

std::string hops_sql(const Window& window) {
  if (window.windows_per_row == 1) return "";
  return format(" CROSS JOIN (SELECT unnest(range({})) AS {}) AS {}s", window.windows_per_row, kHop,
                kHop);
}

std::string hops_condition(const Window& window) {
  if (window.windows_per_row == 1) return "";
  return format("({} = 0 OR ({}) IS NOT NULL)", kHop, window.time);
}

}  // namespace headrace::views
