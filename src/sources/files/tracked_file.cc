#include "sources/files/tracked_file.h"

namespace headrace::sources {

int SlotTable::take() {
  for (size_t slot = 0; slot < used_.size(); ++slot) {
    if (used_[slot]) continue;
    used_[slot] = true;
    return static_cast<int>(slot);
  }
  used_.push_back(true);
  return static_cast<int>(used_.size()) - 1;
}

void SlotTable::take_over(int slot) {
  const auto index = static_cast<size_t>(slot);
  if (index >= used_.size()) used_.resize(index + 1);
  used_[index] = true;
}

JsonObject to_position(const TrackedFile& file, const FileMark& mark) {
  JsonObject position{{"id", file.id},
                      {"file", file.path},
                      {"home", file.home},
                      {"inode", static_cast<int64_t>(file.identity.inode)},
                      {"head_bytes", file.identity.head_bytes},
                      {"head_hash", static_cast<int64_t>(file.identity.head_hash)},
                      {"position", mark.position},
                      {"records", mark.records}};
  if (mark.complete_size != 0) position["complete_size"] = mark.complete_size;
  return position;
}

StoredFile read_position(const Json& position) {
  StoredFile stored;
  stored.file.id = integer_member(position, "id");
  stored.file.path = string_member(position, "file");
  stored.file.home = string_member(position, "home");
  stored.file.identity.inode = static_cast<uint64_t>(integer_member(position, "inode"));
  stored.file.identity.head_bytes = static_cast<uint32_t>(integer_member(position, "head_bytes"));
  stored.file.identity.head_hash = static_cast<uint64_t>(integer_member(position, "head_hash"));
  stored.mark.position = static_cast<uint64_t>(integer_member(position, "position"));
  stored.mark.records = static_cast<uint64_t>(integer_member(position, "records"));
  stored.mark.complete_size =
      static_cast<uint64_t>(integer_member_or(position, "complete_size", 0));
  return stored;
}

}  // namespace headrace::sources
