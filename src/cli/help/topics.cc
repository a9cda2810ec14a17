#include "cli/help/topics.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace headrace::cli {
namespace {

struct Meaning {
  ErrorKind kind;
  std::string_view text;
};
constexpr std::array<Meaning, 12> kMeanings = {{
    {ErrorKind::kInvalid, "the command, a file or a query is wrong: mend it"},
    {ErrorKind::kNotFound, "what was named does not exist"},
    {ErrorKind::kAlreadyExists, "what was to be made exists"},
    {ErrorKind::kConflict, "somebody else changed it meanwhile: try again"},
    {ErrorKind::kCommitUnknown,
     "a commit was sent, its outcome is not known: look before retrying"},
    {ErrorKind::kTimeout, "the time limit was reached"},
    {ErrorKind::kUnsupported, "headrace does not do this"},
    {ErrorKind::kCorrupt, "stored data is damaged: needs a person"},
    {ErrorKind::kUnavailable, "the server is not reachable or overloaded: try again later"},
    {ErrorKind::kInternal, "a bug of headrace"},
    {ErrorKind::kDenied, "a token is missing or does not suffice"},
    {ErrorKind::kCancelled, "ended by Ctrl-C or a signal"},
}};

constexpr std::string_view kEnvironment =
    "HEADRACE_PROJECT  the project's folder, as --project\n"
    "HEADRACE_SERVER   address of a server, as --server\n"
    "HEADRACE_TOKEN    token of the server, as --token\n"
    "NO_COLOR          set to anything: no colours, as --no-color\n"
    "XDG_STATE_HOME    where the history of headrace sql is kept (headrace/history);\n"
    "                  default: ~/.local/state\n";

}  // namespace

std::string exit_codes_text() {
  std::string text = format("{:>4}  {:15} {}\n", 0, "", "it went well");
  text += format("{:>4}  {:15} {}\n", 1, "", "headrace check found errors");
  auto meanings = kMeanings;
  std::sort(meanings.begin(), meanings.end(), [](const Meaning& a, const Meaning& b) {
    return codes_of(a.kind).exit_code < codes_of(b.kind).exit_code;
  });
  for (const Meaning& meaning : meanings) {
    const ErrorCodes& codes = codes_of(meaning.kind);
    text += format("{:>4}  {:15} {}\n", codes.exit_code, codes.name, meaning.text);
  }
  return text;
}

std::string help_topic(std::string_view name) {
  if (name == "exit-codes") return "Exit codes:\n" + exit_codes_text();
  if (name == "environment") return "Environment:\n" + std::string(kEnvironment);
  return "";
}

std::vector<std::string> help_topic_names() { return {"exit-codes", "environment"}; }

}  // namespace headrace::cli
