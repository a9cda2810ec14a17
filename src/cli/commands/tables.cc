#include <memory>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/commands/listings.h"
#include "cli/help/help_formatter.h"
#include "cli/session.h"

namespace headrace::cli {
namespace {

int list_tables(Session& session) {
  Service service = session.connect();
  const Json answer = service.get("/v1/tables");
  session.show(answer, [&] {
    print_section(session, "", items_of(answer, "tables"), table_columns(),
                  "no tables yet; a job with a table node makes them");
  });
  return 0;
}

int show_table(Session& session, const std::string& name) {
  Service service = session.connect();
  const Json answer = service.get(table_target(name));
  session.show(answer, [&] { print_object(session, answer); });
  return 0;
}

int commit_tables(Session& session) {
  Service service = session.connect();
  service.require_running("committing hot rows");
  const Json answer = service.post("/v1/commit", JsonObject{});
  session.show(answer, [&] { session.console().out("hot rows committed\n"); });
  return 0;
}

}  // namespace

std::string table_target(const std::string& name) {
  const size_t dot = name.find('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == name.size()) {
    fail(ErrorKind::kInvalid, "'{}' names no table: write it as database.table, as in silver.{}",
         name, name);
  }
  return "/v1/tables/" + encoded(name.substr(0, dot)) + "/" + encoded(name.substr(dot + 1));
}

void add_tables(CLI::App& app, Session& session) {
  CLI::App* tables =
      add_command(app, "tables", "List and show tables; commit hot rows to files", "Look and mend");
  tables->require_subcommand(0, 1);
  const auto list = [&session] { session.action = [&session] { return list_tables(session); }; };
  tables->preparse_callback([list](size_t) { list(); });
  CLI::App* list_command = add_command(*tables, "list", "All tables with rows, files and size");
  list_command->callback(list);
  CLI::App* show = add_command(*tables, "show", "One table: schema, snapshots, files");
  auto name = std::make_shared<std::string>();
  show->add_option("TABLE", *name, "database.table")->required();
  show->callback([&session, name] {
    session.action = [&session, name] { return show_table(session, *name); };
  });
  CLI::App* commit = add_command(*tables, "commit", "Write all hot rows to files now");
  commit->callback([&session] { session.action = [&session] { return commit_tables(session); }; });
  add_table_maintenance(*tables, session);
  add_table_alteration(*tables, session);
  add_examples(*tables, {{"headrace tables", "all of them"},
                         {"headrace tables show silver.clicks", "schema, snapshots and files"},
                         {"headrace tables commit", "make files of the hot rows now"},
                         {"headrace tables history silver.clicks", "what it was, and when"}});
  add_examples(*list_command, {{"headrace tables list", "for people"},
                               {"headrace tables list --json | jq '.tables[].name'", "the names"}});
  add_examples(*commit, {{"headrace tables commit", "so that other engines see all rows"}});
  add_examples(*show, {{"headrace tables show silver.clicks", "for people"},
                       {"headrace tables show silver.clicks --json | jq .schema", "a part of it"}});
}

}  // namespace headrace::cli
