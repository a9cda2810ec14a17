#pragma once

// Keys and where their rows are, on disk: an ordered store of bytes (RocksDB, which stays behind
// this interface).
//
// Life cycle: opened by one process at a time; what was written is there after the process was
// killed. Writes marked as bulk are there only after sync(), in their order. Thread use: any
// thread. Errors: corrupt for damage, unavailable for what the disk refuses.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::key_index {

struct KeyEntry {
  static constexpr uint32_t kNoFile = UINT32_MAX;
  uint32_t file = kNoFile;  // number of a data file; kNoFile: the key's row was deleted
  uint32_t position = 0;    // of the row in the file
  std::string sequence;  // of the row's or the delete's change, comparable as bytes; may be empty
};

class KeyStore {
 public:
  // Opens what is in the directory, or makes it.
  static std::unique_ptr<KeyStore> open(const std::string& directory);
  ~KeyStore();
  KeyStore(const KeyStore&) = delete;
  KeyStore& operator=(const KeyStore&) = delete;

  // In the order of the keys.
  std::vector<std::optional<KeyEntry>> find(const std::vector<std::string_view>& keys);

  // Notes beside the keys, by name.
  std::optional<std::string> note(std::string_view name);
  struct Note {
    std::string name;
    std::string value;
  };
  std::vector<Note> notes(std::string_view prefix);

  // Changes that come into force together.
  class Batch {
   public:
    Batch();
    ~Batch();
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;
    void put(std::string_view key, const KeyEntry& entry);
    void erase(std::string_view key);
    void put_note(std::string_view name, std::string_view value);
    void erase_note(std::string_view name);
    size_t size_bytes() const;

   private:
    friend class KeyStore;
    struct State;
    std::unique_ptr<State> state_;
  };
  // Empties the batch.
  void write(Batch& batch, bool is_bulk = false);
  void sync();

 private:
  struct State;
  explicit KeyStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace headrace::key_index
