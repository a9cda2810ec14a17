// headrace tables files, history, optimize, expire, rollback.

#include <memory>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/commands/listings.h"
#include "cli/help/help_formatter.h"
#include "cli/print/units.h"
#include "cli/session.h"
#include "config/scalar.h"

namespace headrace::cli {
namespace {

std::vector<ListedColumn> file_columns() {
  return {{"file", "path", Shown::kText},
          {"rows", "rows", Shown::kCount},
          {"size", "bytes", Shown::kBytes},
          {"sequence", "sequence_number", Shown::kCount}};
}

std::vector<ListedColumn> snapshot_columns() {
  return {{"snapshot", "snapshot_id", Shown::kText},   {"committed", "committed_at", Shown::kTime},
          {"operation", "operation", Shown::kText},    {"files +", "added_files", Shown::kCount},
          {"files -", "removed_files", Shown::kCount}, {"rows +", "added_records", Shown::kCount},
          {"rows", "total_records", Shown::kCount}};
}

int list_files(Session& session, const std::string& name) {
  Service service = session.connect();
  const Json answer = service.get(table_target(name) + "/files");
  session.show(answer, [&] {
    print_section(session, "", items_of(answer, "files"), file_columns(),
                  "no files; hot rows become some with: headrace tables commit");
  });
  return 0;
}

int list_history(Session& session, const std::string& name) {
  Service service = session.connect();
  const Json answer = service.get(table_target(name) + "/history");
  session.show(answer, [&] {
    print_section(session, "", items_of(answer, "snapshots"), snapshot_columns(),
                  "nothing was committed yet");
  });
  return 0;
}

int optimize(Session& session, const std::string& name, const std::vector<std::string>& sort_by) {
  Service service = session.connect();
  service.require_running("merging files");
  JsonObject body;
  if (!sort_by.empty()) body["sort_by"] = JsonArray(sort_by.begin(), sort_by.end());
  const Json answer = service.post(table_target(name) + "/optimize", body);
  session.show(answer, [&] {
    session.console().out(format(
        "{}: {} merges, {} files became {}, {} became {}\n", name, integer_member(answer, "merges"),
        integer_member(answer, "files_before"), integer_member(answer, "files_after"),
        bytes_text(integer_member(answer, "bytes_before")),
        bytes_text(integer_member(answer, "bytes_after"))));
    const int64_t deletes = integer_member_or(answer, "delete_files_removed", 0);
    if (deletes > 0) {
      session.console().out(format("{} files of deletes fewer\n", deletes));
    }
  });
  return 0;
}

int64_t duration_ms(const std::string& text, std::string_view option) {
  const auto duration = config::parse_duration(text);
  if (!duration || duration->count() < 0) {
    fail(ErrorKind::kInvalid, "{} takes a time such as 12h or 7d, not '{}'", option, text);
  }
  return duration->count();
}

struct ExpireOptions {
  std::string table;
  int keep = 1;
  std::string older_than = "5d";
  std::string orphans_older_than = "3d";
};

int expire(Session& session, const ExpireOptions& options) {
  const JsonObject body{
      {"keep", options.keep},
      {"older_than_ms", duration_ms(options.older_than, "--older-than")},
      {"orphans_older_than_ms", duration_ms(options.orphans_older_than, "--orphans-older-than")}};
  Service service = session.connect();
  service.require_running("expiring snapshots");
  const Json answer = service.post(table_target(options.table) + "/expire", body);
  session.show(answer, [&] {
    session.console().out(format("{}: {} snapshots and {} orphaned files removed\n", options.table,
                                 integer_member(answer, "snapshots_removed"),
                                 integer_member(answer, "orphans_removed")));
  });
  return 0;
}

int roll_back(Session& session, const std::string& name, const std::string& snapshot,
              bool is_sure) {
  if (!is_sure) {
    fail(ErrorKind::kInvalid,
         "rolling back {} takes away what was committed after snapshot {}: repeat with --yes", name,
         snapshot);
  }
  Service service = session.connect();
  service.require_running("rolling back");
  const Json answer =
      service.post(table_target(name) + "/rollback", JsonObject{{"snapshot_id", snapshot}});
  session.show(answer, [&] {
    session.console().out(format("{} is again as at {}: {} rows\n", name,
                                 string_member(answer, "committed_at"),
                                 integer_member(answer, "total_records")));
  });
  return 0;
}

void add_listing(CLI::App& tables, Session& session, const char* command, const char* help,
                 int (*list)(Session&, const std::string&)) {
  CLI::App* added = add_command(tables, command, help);
  auto name = std::make_shared<std::string>();
  added->add_option("TABLE", *name, "database.table")->required();
  added->callback([&session, name, list] {
    session.action = [&session, name, list] { return list(session, *name); };
  });
  add_examples(*added,
               {{format("headrace tables {} silver.clicks", command), "for people"},
                {format("headrace tables {} silver.clicks --json", command), "for programs"}});
}

void add_optimize(CLI::App& tables, Session& session) {
  CLI::App* command = add_command(
      tables, "optimize", "Merge a table's small files now; the server does so by itself in time");
  auto name = std::make_shared<std::string>();
  auto sort_by = std::make_shared<std::vector<std::string>>();
  command->add_option("TABLE", *name, "database.table")->required();
  command->add_option("--sort-by", *sort_by, "Columns by which rows are sorted in the new files")
      ->delimiter(',');
  command->callback([&session, name, sort_by] {
    session.action = [&session, name, sort_by] { return optimize(session, *name, *sort_by); };
  });
  add_examples(*command, {{"headrace tables optimize silver.clicks", "fewer and larger files"},
                          {"headrace tables optimize silver.clicks --sort-by user_id,time",
                           "queries of one user then skip most row groups"}});
}

void add_expire(CLI::App& tables, Session& session) {
  CLI::App* command =
      add_command(tables, "expire", "Remove old snapshots, and files that nothing refers to");
  auto options = std::make_shared<ExpireOptions>();
  command->add_option("TABLE", options->table, "database.table")->required();
  command->add_option("--keep", options->keep, "How many snapshots stay, whatever their age")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--older-than", options->older_than, "Only snapshots older than this go")
      ->capture_default_str();
  command
      ->add_option("--orphans-older-than", options->orphans_older_than,
                   "Files without a snapshot go when older than this; longer than a commit takes")
      ->capture_default_str();
  command->callback([&session, options] {
    session.action = [&session, options] { return expire(session, *options); };
  });
  add_examples(*command, {{"headrace tables expire silver.clicks", "what is older than five days"},
                          {"headrace tables expire silver.clicks --keep 10 --older-than 12h",
                           "nearly all history; queries of it end"}});
}

void add_roll_back(CLI::App& tables, Session& session) {
  CLI::App* command = add_command(tables, "rollback", "Make an older snapshot the current one");
  auto name = std::make_shared<std::string>();
  auto snapshot = std::make_shared<std::string>();
  auto is_sure = std::make_shared<bool>(false);
  command->add_option("TABLE", *name, "database.table")->required();
  command->add_option("SNAPSHOT", *snapshot, "Its id, from: headrace tables history")->required();
  command->add_flag("--yes", *is_sure, "Take away what was committed after it");
  command->callback([&session, name, snapshot, is_sure] {
    session.action = [&session, name, snapshot, is_sure] {
      return roll_back(session, *name, *snapshot, *is_sure);
    };
  });
  add_examples(*command,
               {{"headrace jobs pause clean", "the job that writes it, first"},
                {"headrace tables rollback silver.clicks 5781947118336215154 --yes", "as it was"},
                {"headrace jobs resume clean", "reads again what came after that snapshot"}});
}

}  // namespace

void add_table_maintenance(CLI::App& tables, Session& session) {
  add_listing(tables, session, "files", "The data files of a table's current snapshot", list_files);
  add_listing(tables, session, "history", "A table's snapshots, newest first", list_history);
  add_optimize(tables, session);
  add_expire(tables, session);
  add_roll_back(tables, session);
}

}  // namespace headrace::cli
