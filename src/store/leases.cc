#include "store/leases.h"

#include "base/error.h"
#include "base/json.h"

namespace headrace::store {
namespace {

constexpr const char* kLeases = "leases";
constexpr const char* kTokens = "lease_tokens";

std::string text_of(const std::string& holder, int64_t expires_ms) {
  return to_text(JsonObject{{"holder", holder}, {"expires_ms", expires_ms}});
}

}  // namespace

// The token is read first: when another holder comes in between, the versions that follow do not
// belong together, and the change built on them is refused.
Leases::Stored Leases::read(const std::string& name) {
  Stored stored;
  if (const auto token = store_.get(kTokens, name)) stored.state.token = token->version;
  const auto entry = store_.get(kLeases, name);
  if (!entry) return stored;
  const Json value = parse_json(entry->value, "a lease");
  stored.version = entry->version;
  stored.state.holder = string_member(value, "holder");
  stored.state.expires_ms = integer_member(value, "expires_ms");
  stored.state.is_held = stored.state.expires_ms > store_.now_ms();
  return stored;
}

std::optional<Lease> Leases::try_acquire(const std::string& name, const std::string& holder,
                                         milliseconds duration) {
  const Stored before = read(name);
  if (before.state.is_held && before.state.holder != holder) return std::nullopt;
  const int64_t expires_ms = store_.now_ms() + duration.count();
  try {
    store_.apply({{kLeases, name, text_of(holder, expires_ms), before.version},
                  {kTokens, name, holder, before.state.token}});
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kConflict) return std::nullopt;
    throw error.with_context(format("taking the lease {}", name));
  }
  return Lease{name, holder, before.state.token + 1};
}

bool Leases::renew(const Lease& lease, milliseconds duration) {
  return prolong(lease, store_.now_ms() + duration.count());
}

void Leases::release(const Lease& lease) { prolong(lease, 0); }

bool Leases::prolong(const Lease& lease, int64_t expires_ms) {
  const Stored before = read(lease.name);
  if (before.state.token != lease.token || before.state.expires_ms == 0) return false;
  try {
    store_.apply(
        {check(lease), {kLeases, lease.name, text_of(lease.holder, expires_ms), before.version}});
    return true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kConflict) return false;
    throw error.with_context(format("renewing the lease {}", lease.name));
  }
}

std::optional<LeaseState> Leases::find(const std::string& name) {
  const Stored stored = read(name);
  if (stored.version == 0) return std::nullopt;
  return stored.state;
}

Change Leases::check(const Lease& lease) { return check_version(kTokens, lease.name, lease.token); }

bool Leases::is_current(const Lease& lease) {
  const auto token = store_.get(kTokens, lease.name);
  return token && token->version == lease.token;
}

}  // namespace headrace::store
