#pragma once

// AWS's Security Token Service: roles assumed with keys, or with the token of a web identity.
// Facts: "AWS STS API reference", AssumeRole and AssumeRoleWithWebIdentity, version 2011-06-15.
// Any thread. Errors: denied with what the service says, unavailable.

#include <string>

#include "objects/credentials.h"

namespace headrace::objects {

struct AssumedRole {
  std::string role_arn;
  std::string session_name = {};  // empty: headrace
  std::string external_id = {};
};

Credentials assume_role(const CredentialContext& context, const AssumedRole& role,
                        const Credentials& with);
Credentials assume_role_with_web_identity(const CredentialContext& context, const AssumedRole& role,
                                          const std::string& token);

// 2026-01-02T03:04:05Z, with or without a fraction; invalid otherwise.
Timestamp timestamp_from_iso8601(const std::string& text);

}  // namespace headrace::objects
