#pragma once

// Who still needs the records of a partition, and from where on. Thread-safe. Private to this
// module.

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stream/log.h"

namespace headrace::stream {

// Shared with the registrations, which may outlive the partition.
class ReaderRegistry : public std::enable_shared_from_this<ReaderRegistry> {
 public:
  std::unique_ptr<ReaderRegistration> add(const std::string& name, Offset next_needed);
  std::vector<std::pair<std::string, Offset>> readers() const;
  std::optional<Offset> slowest() const;

 private:
  class Registration;
  struct Reader {
    uint64_t id;
    std::string name;
    Offset next_needed;
  };

  void advance(uint64_t id, Offset next_needed);
  void remove(uint64_t id);

  mutable std::mutex mutex_;
  std::vector<Reader> readers_;
  uint64_t next_id_ = 0;
};

}  // namespace headrace::stream
