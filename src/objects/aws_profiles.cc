#include "objects/aws_profiles.h"

#include "base/error.h"
#include "base/text.h"

namespace headrace::objects {
namespace {

// The profile that a heading begins; nullopt for sections of another kind.
std::optional<std::string> profile_of(std::string_view heading, bool is_config) {
  constexpr std::string_view kPrefix = "profile";
  if (!is_config || heading == "default") return std::string(heading);
  if (!heading.starts_with(kPrefix)) return std::nullopt;
  const std::string_view rest = heading.substr(kPrefix.size());
  if (rest.empty() || (rest.front() != ' ' && rest.front() != '\t')) return std::nullopt;
  return std::string(trimmed(rest));
}

// A comment behind a value has a blank before it.
std::string_view without_comment(std::string_view value) {
  for (size_t i = 1; i < value.size(); ++i) {
    const bool is_blank = value[i - 1] == ' ' || value[i - 1] == '\t';
    if (is_blank && (value[i] == '#' || value[i] == ';')) return value.substr(0, i);
  }
  return value;
}

std::string path_in_home(const Environment& environment, const std::string& variable,
                         const std::string& name) {
  if (const auto given = environment(variable)) return *given;
  const auto home = environment("HOME");
  return home ? *home + "/.aws/" + name : "";
}

void merge(FileSystem& files, const std::string& path, bool is_config, Profiles& into) {
  if (path.empty() || !files.exists(path)) return;
  for (auto& [name, settings] : parse_profiles(files.read(path), path, is_config)) {
    into[name].merge(settings);
  }
}

}  // namespace

Profiles parse_profiles(std::string_view text, const std::string& file, bool is_config) {
  Profiles profiles;
  Profile* current = nullptr;
  int number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    const std::string_view content = trimmed(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') continue;
    if (content.front() == '[') {
      const size_t close = content.find(']');
      if (close == std::string_view::npos) {
        fail(ErrorKind::kInvalid, "{}:{}: the heading has no \"]\"", file, number);
      }
      const auto name = profile_of(trimmed(content.substr(1, close - 1)), is_config);
      current = name ? &profiles[*name] : nullptr;
      continue;
    }
    // Indented lines belong to a nested setting, such as s3 =.
    if (line.front() == ' ' || line.front() == '\t' || current == nullptr) continue;
    const size_t equals = content.find('=');
    if (equals == std::string_view::npos) {
      fail(ErrorKind::kInvalid, "{}:{}: there is no \"=\"", file, number);
    }
    (*current)[std::string(trimmed(content.substr(0, equals)))] =
        trimmed(without_comment(content.substr(equals + 1)));
  }
  return profiles;
}

ProfileFiles load_profiles(FileSystem& files, const Environment& environment) {
  ProfileFiles result;
  result.credentials_path = path_in_home(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
  result.config_path = path_in_home(environment, "AWS_CONFIG_FILE", "config");
  merge(files, result.credentials_path, false, result.profiles);
  merge(files, result.config_path, true, result.profiles);
  return result;
}

std::string profile_name(const Environment& environment) {
  if (const auto name = environment("AWS_PROFILE")) return *name;
  return environment("AWS_DEFAULT_PROFILE").value_or("default");
}

}  // namespace headrace::objects
