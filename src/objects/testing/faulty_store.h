#pragma once

// An object store that fails its n-th operation, for fault loops, or all of them while it is away.

#include <atomic>
#include <memory>

#include "objects/object_store.h"

namespace headrace::objects {

enum class Fault {
  kBefore,  // nothing was done
  kAfter,   // it was done, and its answer got lost
};

class FaultyStore final : public ObjectStore {
 public:
  // `fail_at` counts from 1; 0 never fails.
  explicit FaultyStore(ObjectStore& inner, int fail_at = 0, Fault fault = Fault::kBefore)
      : inner_(inner), fail_at_(fail_at), fault_(fault) {}

  void set_away(bool is_away) { is_away_ = is_away; }
  void heal() { is_healed_ = true; }  // nothing fails any more
  bool failed() const { return fail_at_ > 0 && operations_ >= fail_at_; }
  int operations() const { return operations_; }

  ObjectInfo put(const std::string& uri, std::string_view bytes) override;
  ObjectInfo put_if_absent(const std::string& uri, std::string_view bytes) override;
  ObjectInfo put_if_match(const std::string& uri, std::string_view bytes,
                          const std::string& etag) override;
  ObjectInfo upload(const std::string& path, const std::string& uri) override;
  std::string get(const std::string& uri) override;
  ObjectPart get_range(const std::string& uri, uint64_t offset, uint64_t size,
                       const std::string& etag) override;
  ObjectPart get_end(const std::string& uri, uint64_t size) override;
  ObjectInfo head(const std::string& uri) override;
  void list(const std::string& folder, const OnObject& each) override;
  bool is_empty(const std::string& folder) override;
  void remove(const std::vector<std::string>& uris) override;
  void remove_folder(const std::string& folder) override;
  int64_t remove_abandoned_uploads(const std::string& folder, Timestamp before) override;
  void make_folder(const std::string& folder) override;

 private:
  template <class Act>
  auto run(std::string_view doing, const std::string& uri, const Act& act);

  ObjectStore& inner_;
  const int fail_at_;
  const Fault fault_;
  std::atomic<bool> is_away_{false};
  std::atomic<bool> is_healed_{false};
  std::atomic<int> operations_{0};
};

}  // namespace headrace::objects
