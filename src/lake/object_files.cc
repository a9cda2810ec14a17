#include "lake/object_files.h"

#include "engine/remote_files.h"
#include "objects/uri.h"

namespace headrace::lake {
namespace {

class ObjectFiles final : public engine::RemoteFiles {
 public:
  explicit ObjectFiles(objects::CachedReader& reader) : reader_(reader) {}

  bool handles(const std::string& path) const override { return objects::is_s3(path); }
  uint64_t size_bytes(const std::string& path) override { return reader_.size_bytes(path); }
  void read_at(const std::string& path, uint64_t offset, char* into, uint64_t size) override {
    reader_.read_at(path, offset, into, size);
  }

 private:
  objects::CachedReader& reader_;
};

}  // namespace

void register_object_files(engine::Database& database, objects::CachedReader& reader) {
  database.add_files(std::make_shared<ObjectFiles>(reader));
}

}  // namespace headrace::lake
