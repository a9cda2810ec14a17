#include "cli/command_line.h"

#include <algorithm>
#include <clocale>
#include <csignal>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/help/help_formatter.h"
#include "cli/help/suggestion.h"
#include "cli/session.h"

namespace headrace::cli {
namespace {

constexpr int kUsageExitCode = 2;  // as ErrorKind::kInvalid

void add_global_options(CLI::App& app, Session& session) {
  GlobalOptions& globals = session.globals();
  app.add_option("-C,--project", globals.project, "The project's folder; default: here or above")
      ->option_text("DIR")
      ->envname("HEADRACE_PROJECT");
  app.add_option("--server", globals.server, "Address of a running server")
      ->option_text("URL")
      ->envname("HEADRACE_SERVER");
  app.add_option("--token", globals.token, "Token of the server")
      ->option_text("TOKEN")
      ->envname("HEADRACE_TOKEN");
  app.add_flag("--json", globals.json, "Print JSON for programs: one document, or one a line");
  app.add_flag("-q,--quiet", globals.quiet, "No progress and no notes");
  app.add_flag_callback(
      "--no-color", [&session] { session.console().disable_color(); },
      "No colours (also: NO_COLOR=1)");
  app.set_version_flag(
      "--version", [&session] { return "headrace " + session.host().version(); },
      "Print the version");
}

void print_error(Session& session, const Error& error) {
  const ErrorCodes& codes = codes_of(error.kind());
  Console& console = session.console();
  if (session.globals().json) {
    console.err(to_text(JsonObject{{"error", JsonObject{{"type", codes.name},
                                                        {"message", error.message()},
                                                        {"exit_code", codes.exit_code}}}}) +
                "\n");
    return;
  }
  console.err(styled(console, Style::kRed, "headrace:") + " " + error.message() + "\n");
  const bool wants_token = error.message().find("Authorization") != std::string::npos;
  if (error.kind() == ErrorKind::kDenied && wants_token && session.globals().token.empty()) {
    console.err("  hint: give the server's token with --token or HEADRACE_TOKEN\n");
  } else if (error.kind() == ErrorKind::kInternal) {
    console.err("  hint: this is a bug of headrace; please report it with the command you ran\n");
  }
}

int run_action(Session& session) {
  try {
    const int code = session.action();
    session.console().flush();
    return code;
  } catch (const OutputClosed&) {
    return 0;  // the reader has what it wanted
  } catch (const Error& error) {
    print_error(session, error);
    return codes_of(error.kind()).exit_code;
  } catch (const std::exception& error) {
    print_error(session, Error(ErrorKind::kInternal, error.what()));
    return codes_of(ErrorKind::kInternal).exit_code;
  }
}

int report_usage_error(Session& session, const CLI::App& app, const std::string& message,
                       const std::vector<std::string>& arguments) {
  const UsageMistake mistake = explain_usage_mistake(app, arguments, message);
  Console& console = session.console();
  console.err(styled(console, Style::kRed, "headrace:") + " " + mistake.message + "\n");
  if (!mistake.suggestion.empty()) {
    console.err(format("  did you mean: {}?\n", mistake.suggestion));
  }
  console.err(format("  see: {} --help\n", mistake.command));
  return kUsageExitCode;
}

}  // namespace

int run_command_line(const std::vector<std::string>& arguments, Host& host, Console& console) {
  Session session(host, console);
  CLI::App app("headrace: streams, jobs and tables in one program", "headrace");
  app.formatter(std::make_shared<HelpFormatter>());
  app.require_subcommand(1);
  app.get_formatter()->column_width(26);
  add_global_options(app, session);
  add_commands(app, session);
  if (arguments.empty()) {
    console.out(app.help());
    console.flush();
    return kUsageExitCode;
  }
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    session.action = [&] {
      const CLI::App* named = &app;
      while (!named->get_subcommands().empty()) named = named->get_subcommands().front();
      console.out(help_of(*named));
      return 0;
    };
  } catch (const CLI::CallForVersion& version) {
    console.out(std::string(version.what()) + "\n");
    console.flush();
    return 0;
  } catch (const CLI::ParseError& error) {
    return report_usage_error(session, app, error.what(), arguments);
  }
  return run_action(session);
}

int run_command_line(int argc, char** argv, Host& host) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe shows as an error of write()
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread as yet
  std::setlocale(LC_CTYPE, "C.UTF-8");
  SystemConsole console;
  return run_command_line(std::vector<std::string>(argv + 1, argv + argc), host, console);
}

}  // namespace headrace::cli
