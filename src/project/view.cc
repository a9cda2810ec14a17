#include "project/view.h"

#include "project/names.h"

namespace headrace::project {

namespace {

constexpr std::string_view kComment = "-- ";

// Is it `-- field: value`?
bool is_setting(std::string_view line) {
  if (!line.starts_with(kComment)) return false;
  line.remove_prefix(kComment.size());
  const size_t end = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
  if (end == 0 || end == std::string_view::npos || line[end] != ':') return false;
  return end + 1 == line.size() || line[end + 1] == ' ';
}

bool is_blank_or_comment(std::string_view line) {
  const size_t first = line.find_first_not_of(" \t\r");
  return first == std::string_view::npos || line.substr(first).starts_with("--");
}

struct Header {
  std::string yaml;  // the settings, each at its own line and column
  int first_sql_line = 0;
};

Header header_of(std::string_view text) {
  Header header;
  int number = 1;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!is_blank_or_comment(line)) {
      header.first_sql_line = number;
      break;
    }
    if (is_setting(line)) {
      header.yaml += "   ";
      header.yaml += line.substr(kComment.size());
    }
    header.yaml += '\n';
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
  }
  return header;
}

}  // namespace

config::Fields<ViewDefinition> ViewDefinition::fields() {
  return config::Fields<ViewDefinition>()
      .required("table", &ViewDefinition::table, "the table that the view keeps up to date",
                config::example("gold.orders_per_day"), config::check(check_table_name))
      .other_fields_allowed();
}

ViewDefinition read_view(std::string_view text, const std::string& file,
                         const std::string& file_stem, const ComponentTypes& types,
                         config::Problems& problems, const config::Environment& environment) {
  ViewDefinition view;
  view.name = file_stem;
  view.sql = text;
  view.file = file;
  const Header header = header_of(text);
  view.header = config::parse_yaml(header.yaml, file, problems, environment).root();
  if (view.header.is_null()) {
    problems.add(file, "the view does not say which table it keeps",
                 "begin the file with a line as: -- table: gold.orders_per_day");
    return view;
  }
  ViewDefinition::fields().read_into(view.header, view, problems);
  if (header.first_sql_line == 0) {
    problems.add(view.header, "there is no query below the settings");
    return view;
  }
  view.first_sql_line = header.first_sql_line;
  if (types.check_view) types.check_view(view, problems);
  return view;
}

}  // namespace headrace::project
