#include "stream/reader_registry.h"

#include <algorithm>

namespace headrace::stream {

class ReaderRegistry::Registration final : public ReaderRegistration {
 public:
  Registration(std::shared_ptr<ReaderRegistry> registry, uint64_t id)
      : registry_(std::move(registry)), id_(id) {}
  ~Registration() override { registry_->remove(id_); }
  void advance(Offset next_needed) override { registry_->advance(id_, next_needed); }

 private:
  std::shared_ptr<ReaderRegistry> registry_;
  uint64_t id_;
};

std::unique_ptr<ReaderRegistration> ReaderRegistry::add(const std::string& name,
                                                        Offset next_needed) {
  std::lock_guard lock(mutex_);
  const uint64_t id = next_id_++;
  readers_.push_back({id, name, next_needed});
  return std::make_unique<Registration>(shared_from_this(), id);
}

void ReaderRegistry::advance(uint64_t id, Offset next_needed) {
  std::lock_guard lock(mutex_);
  for (Reader& reader : readers_) {
    if (reader.id == id) reader.next_needed = std::max(reader.next_needed, next_needed);
  }
}

void ReaderRegistry::remove(uint64_t id) {
  std::lock_guard lock(mutex_);
  std::erase_if(readers_, [&](const Reader& reader) { return reader.id == id; });
}

std::vector<std::pair<std::string, Offset>> ReaderRegistry::readers() const {
  std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, Offset>> all;
  for (const Reader& reader : readers_) all.emplace_back(reader.name, reader.next_needed);
  return all;
}

std::optional<Offset> ReaderRegistry::slowest() const {
  std::lock_guard lock(mutex_);
  std::optional<Offset> slowest;
  for (const Reader& reader : readers_) {
    slowest = slowest ? std::min(*slowest, reader.next_needed) : reader.next_needed;
  }
  return slowest;
}

}  // namespace headrace::stream
