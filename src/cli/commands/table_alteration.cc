// headrace tables alter.

#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/commands/listings.h"
#include "cli/help/help_formatter.h"
#include "cli/session.h"

namespace headrace::cli {
namespace {

struct AlterOptions {
  std::string table;
  std::vector<std::string> drop;
  std::vector<std::string> rename;
  std::vector<std::string> type;
  std::vector<std::string> add;
  std::vector<std::string> partition_by;
  bool unpartitioned = false;
  std::optional<int64_t> format_version;
};

// "old=new", each of them.
JsonObject pairs_of(const std::vector<std::string>& texts, std::string_view option) {
  JsonObject pairs;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) {
      fail(ErrorKind::kInvalid, "{} takes two names with '=' between them, not '{}'", option, text);
    }
    pairs[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return pairs;
}

JsonObject request_of(const AlterOptions& options) {
  JsonObject body;
  if (!options.drop.empty()) body["drop"] = JsonArray(options.drop.begin(), options.drop.end());
  if (!options.rename.empty()) body["rename"] = pairs_of(options.rename, "--rename");
  if (!options.type.empty()) body["type"] = pairs_of(options.type, "--type");
  if (!options.add.empty()) body["add"] = pairs_of(options.add, "--add");
  if (!options.partition_by.empty() || options.unpartitioned) {
    body["partition_by"] = JsonArray(options.partition_by.begin(), options.partition_by.end());
  }
  if (options.format_version) body["format_version"] = *options.format_version;
  if (body.empty()) {
    fail(ErrorKind::kInvalid,
         "altering {}: say what, with --rename, --drop, --add, --type, --partition-by or "
         "--format-version",
         options.table);
  }
  return body;
}

int alter(Session& session, const AlterOptions& options) {
  const JsonObject body = request_of(options);
  Service service = session.connect();
  service.require_running("altering a table");
  const Json answer = service.post(table_target(options.table) + "/schema", body);
  session.show(answer, [&] { print_object(session, answer); });
  return 0;
}

}  // namespace

void add_table_alteration(CLI::App& tables, Session& session) {
  CLI::App* command = add_command(tables, "alter",
                                  "Rename, drop, add or widen columns; divide new files in another "
                                  "way; raise the format version");
  auto options = std::make_shared<AlterOptions>();
  command->add_option("TABLE", options->table, "database.table")->required();
  const auto add_list = [&](const char* name, std::vector<std::string>& into, const char* help) {
    // One value each time, so that TABLE may stand behind it.
    return command->add_option(name, into, help)->allow_extra_args(false);
  };
  add_list("--rename", options->rename, "old=new; files that are there stay readable");
  add_list("--drop", options->drop, "A column that goes");
  add_list("--add", options->add, "name=SQL type; members of structs as address.city=varchar");
  add_list("--type", options->type,
           "name=SQL type: int to bigint, float to double, more digits of a decimal");
  auto* divided = add_list("--partition-by", options->partition_by,
                           "How new files are divided: a column, day(time), bucket(16, id), …");
  command->add_flag("--unpartitioned", options->unpartitioned, "New files are not divided")
      ->excludes(divided);
  command->add_option("--format-version", options->format_version,
                      "3: deletes are kept as deletion vectors; there is no way back");
  command->callback([&session, options] {
    session.action = [&session, options] { return alter(session, *options); };
  });
  add_examples(*command,
               {{"headrace tables alter silver.clicks --rename usr=user_id", "for all queries"},
                {"headrace tables alter silver.clicks --add note=varchar --drop referrer", "both"},
                {"headrace tables alter silver.clicks --partition-by 'day(time)'",
                 "old files stay as they are, and are read as before"},
                {"headrace sql \"FROM system.schema_changes\"", "what was changed, and by whom"}});
}

}  // namespace headrace::cli
