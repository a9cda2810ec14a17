// Where credentials are looked for, one function for each place.

#include <cstdlib>

#include "base/error.h"
#include "base/json.h"
#include "objects/aws_profiles.h"
#include "objects/credentials.h"
#include "objects/token_service.h"

namespace headrace::objects {
namespace {

constexpr milliseconds kMetadataTimeout{2'000};
constexpr uint64_t kMaxCredentialBytes = 1024 * 1024;
constexpr int kMaxRoleDepth = 5;
constexpr const char* kContainerHost = "http://169.254.170.2";

std::string trimmed_file(FileSystem& files, const std::string& path) {
  std::string text = files.read(path);
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

std::optional<Credentials> from_environment(const CredentialContext& context) {
  const auto key = context.environment("AWS_ACCESS_KEY_ID");
  const auto secret = context.environment("AWS_SECRET_ACCESS_KEY");
  if (!key && !secret) return std::nullopt;
  if (!key || !secret) {
    fail(ErrorKind::kDenied, "{} is set, but {} is not",
         key ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
         key ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
  }
  return Credentials{.access_key_id = *key,
                     .secret_access_key = *secret,
                     .session_token = context.environment("AWS_SESSION_TOKEN").value_or(""),
                     .source = "the environment (AWS_ACCESS_KEY_ID)"};
}

std::optional<Credentials> from_web_identity(const CredentialContext& context) {
  const auto file = context.environment("AWS_WEB_IDENTITY_TOKEN_FILE");
  const auto role = context.environment("AWS_ROLE_ARN");
  if (!file || !role) return std::nullopt;
  return assume_role_with_web_identity(
      context, {*role, context.environment("AWS_ROLE_SESSION_NAME").value_or("")},
      trimmed_file(context.files, *file));
}

const std::string* setting(const Profile& profile, const std::string& name) {
  const auto found = profile.find(name);
  return found == profile.end() || found->second.empty() ? nullptr : &found->second;
}

std::string setting_or_empty(const Profile& profile, const std::string& name) {
  const std::string* value = setting(profile, name);
  return value == nullptr ? "" : *value;
}

std::optional<Credentials> from_container(const CredentialContext& context);
std::optional<Credentials> from_machine(const CredentialContext& context);

// What a role says its own credentials come from, when not from another profile.
std::optional<Credentials> from_named_source(const CredentialContext& context,
                                             const std::string& name) {
  if (name == "Environment") return from_environment(context);
  if (name == "EcsContainer") return from_container(context);
  if (name == "Ec2InstanceMetadata") return from_machine(context);
  fail(ErrorKind::kInvalid,
       "credential_source = {}: it is Environment, EcsContainer or Ec2InstanceMetadata", name);
}

std::optional<Credentials> from_profile(const CredentialContext& context, const ProfileFiles& all,
                                        const std::string& name, int depth);

std::optional<Credentials> from_role(const CredentialContext& context, const ProfileFiles& all,
                                     const Profile& profile, const std::string& name, int depth) {
  const AssumedRole role{*setting(profile, "role_arn"),
                         setting_or_empty(profile, "role_session_name"),
                         setting_or_empty(profile, "external_id")};
  if (const std::string* file = setting(profile, "web_identity_token_file")) {
    return assume_role_with_web_identity(context, role, trimmed_file(context.files, *file));
  }
  std::optional<Credentials> own;
  if (const std::string* source = setting(profile, "source_profile")) {
    own = *source == name && setting(profile, "aws_access_key_id") != nullptr
              ? Credentials{.access_key_id = *setting(profile, "aws_access_key_id"),
                            .secret_access_key = setting_or_empty(profile, "aws_secret_access_key"),
                            .session_token = setting_or_empty(profile, "aws_session_token")}
              : from_profile(context, all, *source, depth + 1);
  } else if (const std::string* place = setting(profile, "credential_source")) {
    own = from_named_source(context, *place);
  }
  if (!own) {
    fail(ErrorKind::kDenied,
         "profile {} has a role_arn, but neither its source_profile nor its credential_source "
         "gives credentials to assume it with",
         name);
  }
  return assume_role(context, role, *own);
}

std::optional<Credentials> from_profile(const CredentialContext& context, const ProfileFiles& all,
                                        const std::string& name, int depth) {
  if (depth > kMaxRoleDepth) {
    fail(ErrorKind::kInvalid, "the profiles' source_profile lead to each other: {}", name);
  }
  const auto found = all.profiles.find(name);
  if (found == all.profiles.end()) {
    if (name == "default") return std::nullopt;
    fail(ErrorKind::kDenied, "there is no profile {} in {} or {}", name, all.credentials_path,
         all.config_path);
  }
  const Profile& profile = found->second;
  if (setting(profile, "role_arn") != nullptr) {
    return from_role(context, all, profile, name, depth);
  }
  const std::string* key = setting(profile, "aws_access_key_id");
  const std::string* secret = setting(profile, "aws_secret_access_key");
  if (key == nullptr || secret == nullptr) {
    const bool is_unsupported = profile.contains("sso_session") ||
                                profile.contains("sso_start_url") ||
                                profile.contains("credential_process");
    if (is_unsupported) {
      fail(ErrorKind::kUnsupported,
           "profile {} gets its credentials by SSO or a program, which headrace does not run; "
           "export them first: eval \"$(aws configure export-credentials --format env)\"",
           name);
    }
    return std::nullopt;
  }
  return Credentials{.access_key_id = *key,
                     .secret_access_key = *secret,
                     .session_token = setting_or_empty(profile, "aws_session_token"),
                     .source = format("profile {} of {}", name, all.credentials_path)};
}

std::optional<Credentials> from_profiles(const CredentialContext& context) {
  const std::string name =
      context.profile.empty() ? profile_name(context.environment) : context.profile;
  return from_profile(context, load_profiles(context.files, context.environment), name, 1);
}

// The JSON in which containers and machines get their credentials.
Credentials from_json(const std::string& text, const std::string& source) {
  const Json answer = parse_json(text, "the credentials");
  Credentials credentials{.access_key_id = string_member(answer, "AccessKeyId"),
                          .secret_access_key = string_member(answer, "SecretAccessKey"),
                          .session_token = string_member_or(answer, "Token", ""),
                          .source = source};
  const std::string expires = string_member_or(answer, "Expiration", "");
  if (!expires.empty()) credentials.expires = timestamp_from_iso8601(expires);
  return credentials;
}

std::optional<Credentials> from_container(const CredentialContext& context) {
  std::string url = context.environment("AWS_CONTAINER_CREDENTIALS_FULL_URI").value_or("");
  if (const auto path = context.environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    url = kContainerHost + *path;
  }
  if (url.empty()) return std::nullopt;
  http::Headers headers;
  if (const auto file = context.environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")) {
    headers.set("Authorization", trimmed_file(context.files, *file));
  } else if (const auto token = context.environment("AWS_CONTAINER_AUTHORIZATION_TOKEN")) {
    headers.set("Authorization", *token);
  }
  const http::Response response =
      context.connections.perform({.url = url,
                                   .headers = headers,
                                   .max_answer_bytes = kMaxCredentialBytes,
                                   .timeout = kMetadataTimeout * 3});
  if (response.status != 200) {
    fail(response.status >= 500 ? ErrorKind::kUnavailable : ErrorKind::kDenied, "{} answers {}: {}",
         url, response.status, response.body.substr(0, 300));
  }
  return from_json(response.body, "the container at " + url);
}

// A machine that is none of EC2's does not answer; that is no error.
std::optional<Credentials> from_machine(const CredentialContext& context) {
  if (context.environment("AWS_EC2_METADATA_DISABLED").value_or("") == "true") return std::nullopt;
  const std::string base =
      context.environment("AWS_EC2_METADATA_SERVICE_ENDPOINT").value_or("http://169.254.169.254");
  http::Response token;
  try {
    http::Headers lifetime;
    lifetime.set("X-aws-ec2-metadata-token-ttl-seconds", "21600");
    token = context.connections.perform({.method = "PUT",
                                         .url = base + "/latest/api/token",
                                         .headers = lifetime,
                                         .max_answer_bytes = kMaxCredentialBytes,
                                         .timeout = kMetadataTimeout});
  } catch (const Error&) {
    return std::nullopt;
  }
  if (token.status != 200) return std::nullopt;
  http::Headers headers;
  headers.set("X-aws-ec2-metadata-token", token.body);
  const auto read = [&](const std::string& path) {
    return context.connections.perform({.url = base + path,
                                        .headers = headers,
                                        .max_answer_bytes = kMaxCredentialBytes,
                                        .timeout = kMetadataTimeout});
  };
  const std::string folder = "/latest/meta-data/iam/security-credentials/";
  const http::Response roles = read(folder);
  if (roles.status == 404) return std::nullopt;
  const std::string role = roles.body.substr(0, roles.body.find('\n'));
  const http::Response answer = read(folder + role);
  if (roles.status != 200 || answer.status != 200) {
    fail(ErrorKind::kUnavailable, "{} answers {} when asked for the machine's role", base,
         roles.status != 200 ? roles.status : answer.status);
  }
  return from_json(answer.body, format("the role {} of this machine", role));
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return std::string(value);
  };
}

std::vector<CredentialSource> standard_sources(const CredentialContext& context) {
  const auto bound = [&](auto load) { return [context, load] { return load(context); }; };
  return {{"the environment (AWS_ACCESS_KEY_ID)", bound(from_environment)},
          {"a web identity (AWS_WEB_IDENTITY_TOKEN_FILE)", bound(from_web_identity)},
          {"the profiles of ~/.aws", bound(from_profiles)},
          {"the container (AWS_CONTAINER_CREDENTIALS_…)", bound(from_container)},
          {"the machine (EC2 instance metadata)", bound(from_machine)}};
}

}  // namespace headrace::objects
