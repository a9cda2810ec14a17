#pragma once

// The files ~/.aws/config and ~/.aws/credentials: sections of settings by profile. Facts: "Format
// of the config and credentials files" (AWS SDKs and Tools guide). Pure but for load(). Errors:
// invalid naming the file and line.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "objects/credentials.h"

namespace headrace::objects {

using Profile = std::map<std::string, std::string>;
using Profiles = std::map<std::string, Profile>;

// `is_config`: sections are named [profile dev] (but for [default]), not [dev].
Profiles parse_profiles(std::string_view text, const std::string& file, bool is_config);

// Both files together, the credentials first; those that are not there are empty.
struct ProfileFiles {
  Profiles profiles;
  std::string credentials_path;
  std::string config_path;
};
ProfileFiles load_profiles(FileSystem& files, const Environment& environment);

// AWS_PROFILE, or "default".
std::string profile_name(const Environment& environment);

}  // namespace headrace::objects
