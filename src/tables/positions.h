#pragma once

// How far a table's content reaches into the inputs it was made from. It is kept in the summary of
// the table's snapshots ("headrace.positions") and is all that a job needs to go on after a crash.

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "stream/record_batch.h"

namespace headrace::tables {

inline constexpr const char* kPositionsKey = "headrace.positions";

class Positions {
 public:
  // The next offset to read of each partition of a topic; missing partitions start at 0.
  std::vector<stream::Offset> topic(const std::string& name) const;
  void set_topic(const std::string& name, std::vector<stream::Offset> next_offsets);

  // What other inputs keep ("table:silver.orders" → a snapshot id, "files:prices" → what was read).
  const Json* input(const std::string& name) const;
  void set_input(const std::string& name, Json position);

  // Canonical JSON: equal positions give equal text.
  std::string to_text() const;
  // Text from a summary; throws Error corrupt when it is none.
  static Positions from_text(const std::string& text);

  bool operator==(const Positions& other) const { return to_text() == other.to_text(); }

 private:
  std::map<std::string, Json> inputs_;
};

}  // namespace headrace::tables
