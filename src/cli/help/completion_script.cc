#include "cli/help/completion_script.h"

#include <vector>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "cli/help/help_formatter.h"
#include "cli/help/suggestion.h"

namespace headrace::cli {
namespace {

void collect(const CLI::App& command, std::vector<const CLI::App*>& all) {
  all.push_back(&command);
  for (const CLI::App* sub : command.get_subcommands(nullptr)) collect(*sub, all);
}

std::vector<const CLI::App*> all_commands(const CLI::App& app) {
  std::vector<const CLI::App*> all;
  collect(app, all);
  return all;
}

std::string long_options(const CLI::App& command) {
  std::string text;
  for (const std::string& name : option_names(command)) {
    if (name.starts_with("--")) text += " " + name;
  }
  return text;
}

// Options that take a value, so that the value is not taken for a command.
std::string value_options(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_type_size() == 0) continue;
    for (const std::string& name : option->get_lnames())
      text += (text.empty() ? "--" : "|--") + name;
    for (const std::string& name : option->get_snames()) text += "|-" + name;
  }
  return text;
}

// Both shells walk the words to the command and offer what can follow it.
std::string walk_cases(const CLI::App& app) {
  std::string text;
  for (const CLI::App* command : all_commands(app)) {
    text += format("    \"{}\") subs=\"{}\"; opts=\"{}\" ;;\n", full_name(*command),
                   join(subcommand_names(*command), " "), long_options(*command).substr(1));
  }
  return text;
}

std::string bash_script(const CLI::App& app) {
  return format(
      R"(# headrace completion for bash: headrace completion bash > ~/.local/share/bash-completion/completions/headrace
_headrace_next() {{
  case "$1" in
{0}    *) subs=""; opts="" ;;
  esac
}}
_headrace() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" path="headrace" subs opts i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${{COMP_WORDS[i]}}" in
      {1}) ((i++)); continue ;;
      -*) continue ;;
    esac
    _headrace_next "$path"
    [[ " $subs " == *" ${{COMP_WORDS[i]}} "* ]] && path="$path ${{COMP_WORDS[i]}}"
  done
  _headrace_next "$path"
  if [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$opts" -- "$current"))
  elif [[ -n "$subs" ]]; then
    COMPREPLY=($(compgen -W "$subs" -- "$current"))
  fi
}}
complete -o default -F _headrace headrace
)",
      walk_cases(app), value_options(app));
}

std::string zsh_script(const CLI::App& app) {
  return format(R"(#compdef headrace
# headrace completion for zsh: headrace completion zsh > "${{fpath[1]}}/_headrace"
_headrace_next() {{
  case "$1" in
{0}    *) subs=""; opts="" ;;
  esac
}}
_headrace() {{
  local current="${{words[CURRENT]}}" path_="headrace" subs opts i
  for ((i = 2; i < CURRENT; i++)); do
    case "${{words[i]}}" in
      {1}) ((i++)); continue ;;
      -*) continue ;;
    esac
    _headrace_next "$path_"
    [[ " $subs " == *" ${{words[i]}} "* ]] && path_="$path_ ${{words[i]}}"
  done
  _headrace_next "$path_"
  if [[ "$current" == -* ]]; then
    compadd -- ${{=opts}}
  elif [[ -n "$subs" ]]; then
    compadd -- ${{=subs}}
  else
    _files
  fi
}}
if [[ "$funcstack[1]" == "_headrace" ]]; then _headrace "$@"; else compdef _headrace headrace; fi
)",
                walk_cases(app), value_options(app));
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_options(const CLI::App& command, const std::string& condition) {
  std::string text;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_lnames().empty()) continue;
    text += format("complete -c headrace{} -l {}", condition, option->get_lnames().front());
    if (!option->get_snames().empty()) text += " -s " + option->get_snames().front();
    if (option->get_type_size() > 0) text += " -r";
    text += " -d " + fish_quoted(option->get_description()) + "\n";
  }
  return text;
}

std::string fish_script(const CLI::App& app) {
  std::string text =
      "# headrace completion for fish: headrace completion fish > "
      "~/.config/fish/completions/headrace.fish\n";
  text += fish_options(app, "");
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    text += format("complete -c headrace -n __fish_use_subcommand -f -a {} -d {}\n",
                   command->get_name(), fish_quoted(command->get_description()));
    const std::string condition =
        format(" -n '__fish_seen_subcommand_from {}'", command->get_name());
    text += fish_options(*command, condition);
    const std::string subs = format("{}", join(subcommand_names(*command), " "));
    for (const CLI::App* sub : command->get_subcommands(nullptr)) {
      text += format(
          "complete -c headrace -n '__fish_seen_subcommand_from {0}; and not "
          "__fish_seen_subcommand_from {1}' -f -a {2} -d {3}\n",
          command->get_name(), subs, sub->get_name(), fish_quoted(sub->get_description()));
      text += fish_options(*sub, format(" -n '__fish_seen_subcommand_from {}; and "
                                        "__fish_seen_subcommand_from {}'",
                                        command->get_name(), sub->get_name()));
    }
  }
  return text;
}

}  // namespace

std::string completion_script(const CLI::App& app, std::string_view shell) {
  if (shell == "bash") return bash_script(app);
  if (shell == "zsh") return zsh_script(app);
  if (shell == "fish") return fish_script(app);
  fail(ErrorKind::kInvalid, "there is no completion for the shell '{}': use bash, zsh or fish",
       shell);
}

}  // namespace headrace::cli
