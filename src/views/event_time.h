#pragma once

// When windows of a view are over: the settings, and how far time has come by the rows themselves.
//
// The *watermark* stays behind the newest time among the rows that were taken in. A window is
// *closed* once the watermark has passed its end and the allowed lateness. What would still change
// a closed window is *late*: it is counted and changes nothing. All times are µs since the epoch.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "lake/table.h"

namespace headrace::views {

enum class Emit { kOnChange, kOnClose };

struct Closing {
  std::optional<milliseconds> watermark;  // how far behind the newest time; nullopt: none closes
  milliseconds allowed_lateness{0};
  Emit emit = Emit::kOnChange;

  bool operator==(const Closing&) const = default;
};

// In the summary of a view's snapshots:
//   headrace.event-time  {"watermark_us": 1767261600000000, "closed_until_us": …, "late_changes":
//   3}
// so it is committed with the rows that it speaks of. Sessions that are emitted on close have
// "open_since_us", too.
inline constexpr const char* kEventTimeKey = "headrace.event-time";

struct EventTime {
  std::optional<int64_t> watermark_us = {};
  std::optional<int64_t> closed_until_us = {};  // windows that end by then are closed
  int64_t late_changes = 0;                     // since the view was built
  // No open session begins before. nullopt: that is not known.
  std::optional<int64_t> open_since_us = {};

  // Error corrupt when the entry is none of ours; nothing where there is no entry.
  static EventTime from_summary(const lake::Summary& summary);
  std::string to_text() const;

  // With the newest time of more rows, and the late ones among them. Time never goes back.
  EventTime after(const Closing& closing, std::optional<int64_t> newest_us, int64_t late) const;

  bool operator==(const EventTime&) const = default;
};

class ViewQuery;

// Error invalid when the query has no window, or more than one, that could close.
void check_closing(const ViewQuery& query, const Closing& closing);

}  // namespace headrace::views
