#include "lake/carried_summary.h"

#include <array>

namespace headrace::lake {
namespace {

struct CarriedEntry {
  const char* key;
  bool by_replace_alone;
};

constexpr std::array<CarriedEntry, 6> kCarried = {{{"headrace.positions", false},
                                                   {"headrace.standing-by", false},
                                                   {"headrace.job", false},
                                                   {"headrace.inputs", true},
                                                   {"headrace.query", true},
                                                   {"headrace.event-time", true}}};

}  // namespace

void carry_summary(const Snapshot* previous, Snapshot& snapshot) {
  if (previous == nullptr) return;
  const auto operation = snapshot.summary.find("operation");
  const bool is_replace = operation != snapshot.summary.end() && operation->second == "replace";
  for (const CarriedEntry& entry : kCarried) {
    if (entry.by_replace_alone && !is_replace) continue;
    const auto found = previous->summary.find(entry.key);
    if (found != previous->summary.end()) snapshot.summary.insert(*found);
  }
}

}  // namespace headrace::lake
