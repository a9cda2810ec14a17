#pragma once

// Every command registers itself on the app and leaves its action in the session. A new command is
// one file here, one line below and one in commands.cc.

#include <string>

namespace CLI {
class App;
}

namespace headrace::cli {

class Session;

void add_init(CLI::App& app, Session& session);
void add_check(CLI::App& app, Session& session);
void add_docs(CLI::App& app, Session& session);
void add_serve(CLI::App& app, Session& session);
void add_run(CLI::App& app, Session& session);
void add_status(CLI::App& app, Session& session);
void add_send(CLI::App& app, Session& session);
void add_tail(CLI::App& app, Session& session);
void add_sql(CLI::App& app, Session& session);
void add_topics(CLI::App& app, Session& session);
void add_tables(CLI::App& app, Session& session);
void add_table_maintenance(CLI::App& tables, Session& session);  // below add_tables
void add_table_alteration(CLI::App& tables, Session& session);   // likewise
void add_jobs(CLI::App& app, Session& session);
void add_dead_letters(CLI::App& app, Session& session);
void add_completion(CLI::App& app, Session& session);
void add_version(CLI::App& app, Session& session);
void add_help(CLI::App& app, Session& session);

// All of them, in the order of the help.
void add_commands(CLI::App& app, Session& session);

// Where the API has a table: /v1/tables/<database>/<table>. invalid when it is no such name.
std::string table_target(const std::string& name);

// A subcommand in that group of the help, which takes the global options after its name, too.
CLI::App* add_command(CLI::App& app, const char* name, const char* description,
                      const char* group = "Commands");

}  // namespace headrace::cli
