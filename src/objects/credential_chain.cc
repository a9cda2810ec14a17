#include "base/error.h"
#include "objects/credentials.h"
#include "telemetry/log.h"

namespace headrace::objects {
namespace {

// Read again so long before they expire; what is left of them bridges a source that is away.
constexpr std::chrono::minutes kAhead{5};
constexpr std::chrono::seconds kLastMoment{30};
constexpr size_t kShownOfKey = 8;

}  // namespace

std::string shortened(const std::string& access_key_id) {
  return access_key_id.size() <= kShownOfKey ? access_key_id
                                             : access_key_id.substr(0, kShownOfKey) + "…";
}

CredentialChain::CredentialChain(std::vector<CredentialSource> sources, Clock& clock)
    : sources_(std::move(sources)), clock_(clock) {}

bool CredentialChain::is_fresh(const Credentials& credentials) const {
  return !credentials.expires || *credentials.expires - clock_.now() > kAhead;
}

Credentials CredentialChain::get() {
  {
    const std::lock_guard lock(mutex_);
    if (current_ && is_fresh(*current_)) return *current_;
  }
  const std::lock_guard loading(loading_);
  std::optional<Credentials> before;
  {
    const std::lock_guard lock(mutex_);
    if (current_ && is_fresh(*current_)) return *current_;
    before = current_;
  }
  try {
    return load();
  } catch (const Error& error) {
    if (!before || *before->expires - clock_.now() < kLastMoment) throw;
    telemetry::log_warning("objects", "credentials could not be renewed; the old ones go on",
                           {{"source", before->source},
                            {"expire", to_iso8601(*before->expires)},
                            {"reason", error.message()}});
    return *before;
  }
}

Credentials CredentialChain::load() {
  std::vector<std::string> looked_in;
  std::optional<size_t> known;
  {
    const std::lock_guard lock(mutex_);
    known = found_in_;
  }
  for (size_t i = known.value_or(0); i < sources_.size(); ++i) {
    std::optional<Credentials> found;
    try {
      found = sources_[i].load();
    } catch (const Error& error) {
      throw error.with_context("credentials from " + sources_[i].name);
    }
    if (found) {
      const std::lock_guard lock(mutex_);
      current_ = found;
      found_in_ = i;
      return *found;
    }
    looked_in.push_back(sources_[i].name);
    if (known) break;
  }
  fail(
      ErrorKind::kDenied,
      "there are no credentials for S3: nothing in {}; give access_key_id and secret_access_key in "
      "headrace.yaml under storage.s3, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
      join(looked_in, ", nor in "));
}

void CredentialChain::refuse(const Credentials& credentials) {
  const std::lock_guard lock(mutex_);
  if (current_ && current_->access_key_id == credentials.access_key_id &&
      current_->session_token == credentials.session_token) {
    current_.reset();
  }
}

}  // namespace headrace::objects
