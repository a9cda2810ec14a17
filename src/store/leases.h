#pragma once

// Leases: which process does something that only one may do at a time, such as running a job.
//
// A lease is held until its time is over by the store's clock, unless it is renewed; whoever takes
// it next gets a greater token. A process that was suspended may believe that it still holds one:
// so what it writes goes into the same transaction as the check() of its lease, and is refused once
// somebody else has taken it (a "fencing token").
//
// In the store: space "leases", key name → {"holder", "expires_ms"}; space "lease_tokens", key name
// → the holder's name, and the version of that entry is the token. It changes only when the lease
// is taken, so a renewal does not disturb a commit under way.
//
// Thread use: any thread, any number of processes. Errors: those of the store.

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "store/metadata_store.h"

namespace headrace::store {

struct Lease {
  std::string name;
  std::string holder;
  int64_t token = 0;
};

struct LeaseState {
  std::string holder;
  int64_t token = 0;
  int64_t expires_ms = 0;  // by the store's clock
  bool is_held = false;
};

class Leases {
 public:
  explicit Leases(MetadataStore& store) : store_(store) {}

  // Takes the lease when nobody holds it; nullopt when somebody else does. A holder that takes its
  // own lease again gets a new token, and the old one is worth nothing.
  std::optional<Lease> try_acquire(const std::string& name, const std::string& holder,
                                   milliseconds duration);
  // False when it is not this holder's any more: somebody else took it, or it was released.
  bool renew(const Lease& lease, milliseconds duration);
  // Nothing happens when it is not this holder's any more.
  void release(const Lease& lease);

  std::optional<LeaseState> find(const std::string& name);

  // For a transaction that may only take place while the lease has not been taken by another.
  static Change check(const Lease& lease);
  bool is_current(const Lease& lease);

 private:
  // The state with the version of its entry; nullopt when the lease never was taken.
  struct Stored {
    LeaseState state;
    int64_t version = 0;
  };
  Stored read(const std::string& name);
  bool prolong(const Lease& lease, int64_t expires_ms);

  MetadataStore& store_;
};

}  // namespace headrace::store
