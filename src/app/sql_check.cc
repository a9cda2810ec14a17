#include "app/sql_check.h"

#include <algorithm>
#include <regex>

#include "app/component_binding.h"
#include "base/error.h"
#include "jobs/job_check.h"
#include "jobs/node_type.h"
#include "views/view_circle.h"
#include "views/views.h"

namespace headrace::app {
namespace {

// What is wrong, on one line, without the generated SQL around it.
std::string first_part(const std::string& message) {
  std::string text = message.substr(0, message.find("\n\nLINE"));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return std::regex_replace(text, std::regex(R"(\s*\n\s*)"), " ");
}

void report(const project::Project& project, const jobs::JobMistake& mistake, bool is_error,
            config::Problems& problems) {
  const project::JobDefinition* job = project.find_job(mistake.job);
  const project::JobNode* node = job == nullptr ? nullptr : job->find(mistake.node);
  if (job == nullptr) return;
  const config::Node& at = node == nullptr ? job->node : node->node;
  const std::string message = first_part(mistake.message);
  is_error ? problems.add(at, message) : problems.warn(at, message);
}

class ViewCheck {
 public:
  ViewCheck(engine::Connection& connection, config::Problems& problems)
      : connection_(connection), problems_(problems) {}

  // False when its source is not there yet.
  bool check(const project::ViewDefinition& view) {
    try {
      const std::string sql = views::engine_sql(connection_, view.sql);
      connection_.describe(sql);
      create_table(view, sql);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kNotFound) return false;
      add_sql_problem(view, error.message(), problems_);
    }
    return true;
  }

  // For those that are left in the end: the table may come from elsewhere.
  void warn(const project::ViewDefinition& view) {
    try {
      connection_.describe(views::engine_sql(connection_, view.sql));
    } catch (const Error& error) {
      problems_.add(
          {config::Severity::kWarning, view.file, "", view.first_sql_line, 1,
           "no job or view of this project writes what it reads: " + first_part(error.message()),
           ""});
    }
  }

 private:
  void create_table(const project::ViewDefinition& view, const std::string& sql) {
    const size_t dot = view.table.find('.');
    if (dot == std::string::npos) return;
    const std::string database = view.table.substr(0, dot);
    connection_.execute("CREATE SCHEMA IF NOT EXISTS " + engine::quote_identifier(database));
    connection_.execute(format("CREATE OR REPLACE VIEW {} AS {}",
                               engine::quote_name(database, view.table.substr(dot + 1)), sql));
  }

  engine::Connection& connection_;
  config::Problems& problems_;
};

// A circle is told once, at the first of its views.
bool check_circles(engine::Connection& connection, const project::Project& project,
                   config::Problems& problems) {
  std::vector<views::ViewTables> tables;
  for (const project::ViewDefinition& view : project.views) {
    tables.push_back(
        {view.name, jobs::parse_table_name(view.table), views::inputs_of(connection, view.sql)});
  }
  const std::vector<std::string> circle = views::find_circle(tables);
  if (circle.empty()) return true;
  for (const project::ViewDefinition& view : project.views) {
    if (view.name != circle.front()) continue;
    problems.add(
        {config::Severity::kError, view.file, "", view.first_sql_line, 1,
         "views that read each other in a circle cannot be: " + views::describe_circle(circle),
         "let one of them read a table that a job writes"});
  }
  return false;
}

}  // namespace

void check_sql(const project::Project& project, config::Problems& problems) {
  std::vector<jobs::JobSpec> jobs;
  for (const project::JobDefinition& job : project.jobs) jobs.push_back(to_job_spec(job));
  std::vector<project::ViewDefinition> views = project.views;
  if (jobs.empty() && views.empty()) return;
  jobs::JobCheck check(project.directory);
  if (!check_circles(check.connection(), project, problems)) return;
  ViewCheck view_check(check.connection(), problems);
  // Jobs may read what views write, and the other way round.
  for (size_t left = jobs.size() + views.size() + 1; jobs.size() + views.size() < left;) {
    left = jobs.size() + views.size();
    for (const jobs::JobMistake& mistake : check.check(jobs)) {
      report(project, mistake, true, problems);
    }
    std::erase_if(views, [&](const auto& view) { return view_check.check(view); });
  }
  for (const jobs::JobSpec& job : jobs) report(project, check.waiting(job), false, problems);
  // What writes the table that a view reads may have a mistake of its own, or wait itself.
  if (problems.has_errors() || !jobs.empty()) return;
  for (const project::ViewDefinition& view : views) view_check.warn(view);
}

void add_sql_problem(const project::ViewDefinition& view, const std::string& message,
                     config::Problems& problems) {
  static const std::regex named_line(R"(^line (\d+): ([^]*)$)");
  static const std::regex engine_line(R"(\n\nLINE (\d+):)");
  std::smatch found;
  config::Problem problem{config::Severity::kError, view.file, "", view.first_sql_line, 1, "", ""};
  problem.message = first_part(message);
  if (std::regex_search(message, found, engine_line)) {
    problem.line = std::stoi(found[1]);
  } else if (std::regex_match(message, found, named_line)) {
    problem.line = std::stoi(found[1]);
    problem.message = first_part(found[2]);
  }
  problems.add(std::move(problem));
}

}  // namespace headrace::app
