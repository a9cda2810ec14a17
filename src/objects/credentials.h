#pragma once

// Credentials for S3, found where all programs for AWS look, in the same order:
//
//   1. the project's settings
//   2. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//   3. a web identity: AWS_ROLE_ARN with the token in the file AWS_WEB_IDENTITY_TOKEN_FILE
//   4. the profile AWS_PROFILE (or "default") of ~/.aws/credentials and ~/.aws/config: keys, or a
//      role that is assumed from another profile or by a web identity
//   5. the container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or …_FULL_URI (ECS, EKS)
//   6. the machine: EC2's instance metadata, version 2
//
// The first that has any is kept to. Those that expire are read again before they do. Thread use:
// any thread; one reads anew while the others wait or go on with what there is. Errors: denied,
// telling where was looked; unavailable when a service that should give them does not answer.

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "http/connections.h"

namespace headrace::objects {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token = {};
  std::optional<Timestamp> expires = {};
  std::string source = {};  // for people: "the environment", "profile dev of /home/…/credentials"
};

// The value of an environment variable; nullopt and empty are the same.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

// What a source of credentials may use.
struct CredentialContext {
  Environment environment;
  FileSystem& files;
  Clock& clock;
  http::Connections& connections;
  std::string profile = {};  // empty: AWS_PROFILE, else "default"
  std::string region = {};   // of the token service
};

// nullopt: it has none here.
struct CredentialSource {
  std::string name;
  std::function<std::optional<Credentials>()> load;
};

// 2 to 6 of the above.
std::vector<CredentialSource> standard_sources(const CredentialContext& context);

class CredentialChain {
 public:
  CredentialChain(std::vector<CredentialSource> sources, Clock& clock);

  Credentials get();
  // A server says that these do not count any more: they are read anew at the next get().
  void refuse(const Credentials& credentials);

 private:
  bool is_fresh(const Credentials& credentials) const;
  Credentials load();

  const std::vector<CredentialSource> sources_;
  Clock& clock_;
  std::mutex loading_;        // held by the one that reads anew
  mutable std::mutex mutex_;  // of what follows
  std::optional<Credentials> current_;
  std::optional<size_t> found_in_;  // index in sources_
};

// "AKIAIOSF…": enough to know a key by.
std::string shortened(const std::string& access_key_id);

}  // namespace headrace::objects
